"""A package made again: its weights and every figure, from its own data and recipes, and compared with what it says."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.analysis import response_items
from surveys.publishing import data_files, study_building, study_coded, study_figures
from surveys.publishing.package_archive import CODED, DATA, FIGURES, RECIPES, Package, open_package
from surveys.publishing.study_figures import Difference
from surveys.publishing.study_source import Recipes
from surveys.responses import Responses
from surveys.vote import vote_recipe
from surveys.weighting import weight_recipe


@dataclass(frozen=True)
class Reproduced:
    """`changed`: files that are not what the manifest says; `compared`: figures and weights that were reckoned again;
    `differences`: those that came out otherwise."""

    title: str
    interviews: int
    changed: tuple[str, ...]
    compared: int
    differences: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        return not self.changed and not self.differences


def reproduce(content: bytes) -> Reproduced:
    """Raises InvalidInput for what is no package, or one that cannot be reckoned."""
    package = open_package(content)
    responses = read_responses(package)
    recipes = read_recipes(package)
    method = study_building.method(responses, recipes)
    weights, differ = study_figures.compare(
        responses.frame["weight"].to_list(), method.weights.values.tolist(), "data.weight"
    )
    figures = study_figures.figures(responses, method)
    number, other = study_figures.compare(package.json(FIGURES), figures)
    return Reproduced(
        title=str(package.manifest.get("title", "")),
        interviews=responses.frame.height,
        changed=tuple(package.changed()),
        compared=weights + number,
        differences=(*differ, *other),
    )


def read_responses(package: Package) -> Responses:
    """The interviews of a package as the analysis reads them. Raises InvalidInput."""
    said = package.manifest
    try:
        forms = [package.json(f"questionnaire/version-{each['version']}.json") for each in said["versions"]]
        data = package.read(DATA)
        columns = set(data.splitlines()[0].decode("utf-8-sig").split(","))
        known = response_items.merged(forms) | study_coded.from_json(package.json(CODED))
        items = {name: item for name, item in known.items() if item.column in columns}
        return Responses(
            0, data_files.read_csv(data, items), items, datetime.fromisoformat(said["as_of"]), said["vote_question"],
            said["likely_question"], tuple(said["languages"]),
        )  # fmt: skip
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise InvalidInput({"package": _("The package does not say what its data are.")}) from error


def read_recipes(package: Package) -> Recipes:
    """Raises InvalidInput."""
    said = package.json(RECIPES)
    try:
        weights = weight_recipe.from_json(said["weights"]) if said["weights"] else None
        vote = vote_recipe.read(said["vote"]) if said["vote"] else None
        return Recipes(weights, vote, bool(said["weights_signed"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput({"package": _("The recipes of the package cannot be read.")}) from error
