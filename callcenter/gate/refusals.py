"""Why the gate says no: each reason's code, its sentence, and who or what lifts it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


class LiftedBy(StrEnum):
    """Who or what can make a refusal end."""

    TIME = "time"
    CALENDAR = "calendar"
    PERSON = "person"
    ADMINISTRATOR = "administrator"
    LAWYER = "lawyer"
    REGISTER = "register"
    NOBODY = "nobody"

    @property
    def sentence(self) -> LazyString:
        return LIFTS[self]


LIFTS: dict[LiftedBy, LazyString] = {
    LiftedBy.TIME: _l("Time: it passes by itself."),
    LiftedBy.CALENDAR: _l("The calendar: another phase of the election. What was planned for now is not kept waiting."),
    LiftedBy.PERSON: _l("Only the person themselves, in a way that can be proved."),
    LiftedBy.ADMINISTRATOR: _l("An administrator."),
    LiftedBy.LAWYER: _l("A lawyer who signs an approval, and an administrator who records it."),
    LiftedBy.REGISTER: _l("The register: when a newer file of it no longer holds this phone."),
    LiftedBy.NOBODY: _l("Nobody."),
}

SENTENCES: dict[str, LazyString] = {
    "suppressed": _l("This phone asked not to be contacted again."),
    "opted_out": _l("This person did not accept, or withdrew their consent."),
    "blocked": _l("This person's data are blocked after a privacy request."),
    "unknown_person": _l("This person is no longer in the list."),
    "invented": _l("This is an invented person of the drill: only a simulated carrier may reach them."),
    "not_opted_in": _l("This purpose needs the person's recorded consent, and there is none."),
    "phase": _l("The phase of the election does not allow this purpose now."),
    "phase_house": _l("A rule of this house, stricter than the law, does not allow this purpose in this phase."),
    "phase_members": _l("In this phase the purpose is only for members of the organisation."),
    "phase_sign_off": _l("In this phase the purpose needs a lawyer's written approval."),
    "phase_drill": _l("Before election day this purpose is only rehearsed through a simulated carrier."),
    "do_not_call": _l("This phone is in the register of those who do not want advertising."),
    "hours": _l("It is outside calling hours where this person lives."),
    "cap_week": _l("This phone or person was tried as often as the limit of seven days allows."),
    "cap_total": _l("This phone or person was tried as often as is allowed in all."),
    "household": _l("Somebody else at this phone is being reached right now."),
}
_LIFTED_BY: dict[str, LiftedBy] = {
    "suppressed": LiftedBy.PERSON,
    "opted_out": LiftedBy.PERSON,
    "blocked": LiftedBy.ADMINISTRATOR,
    "unknown_person": LiftedBy.NOBODY,
    "invented": LiftedBy.NOBODY,
    "not_opted_in": LiftedBy.PERSON,
    "phase": LiftedBy.CALENDAR,
    "phase_house": LiftedBy.ADMINISTRATOR,
    "phase_members": LiftedBy.ADMINISTRATOR,
    "phase_sign_off": LiftedBy.LAWYER,
    "phase_drill": LiftedBy.CALENDAR,
    "do_not_call": LiftedBy.REGISTER,
    "hours": LiftedBy.TIME,
    "cap_week": LiftedBy.TIME,
    "cap_total": LiftedBy.NOBODY,
    "household": LiftedBy.TIME,
}


@dataclass(frozen=True)
class Refusal:
    """Why nobody may contact this person now.

    `until` (campaign time): when to ask again; None: what waits for it does not wait (a phase that forbids ends what
    was planned for it; `Verdict.changes_at` says when another begins). `by`: who lifts it, where it is not the rule."""

    code: str
    until: datetime | None = None
    by: LiftedBy | None = None

    @property
    def sentence(self) -> LazyString:
        """The reason in the reader's language (drawn where it is shown; jobs keep the code)."""
        return SENTENCES[self.code]

    @property
    def lifted_by(self) -> LiftedBy:
        """Who or what can lift it; has a sentence of its own."""
        return self.by or _LIFTED_BY[self.code]
