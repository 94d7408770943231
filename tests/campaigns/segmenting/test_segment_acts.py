"""What is done with whole segments: versions, frozen lists and the campaigns that reach them, copies, comparisons."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.errors import NotFound
from callcenter.contacts import Contact
from callcenter.queues import QueueEntry
from campaigns import audiences, calling, segments
from campaigns.calling import CallPlan
from campaigns.dispatch import message_planning
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessagePlan
from campaigns.messages import Message
from campaigns.segmenting import segment_jobs, segment_uses
from campaigns.segmenting.frozen_segments import FrozenSegment
from campaigns.segments import Segment
from tests.callcenter.cast import person
from tests.campaigns.cast import Cast
from tests.campaigns.segmenting.test_segment_views import post
from tests.conftest import ClientAs

WOMEN = {"all": [{"field": "sex", "op": "is", "value": "M"}]}
YOUNG = {"all": [{"field": "age", "op": "at_most", "value": 29}]}


@pytest.fixture
def strategist(client_as: ClientAs) -> FlaskClient:
    return client_as("strategist")


@pytest.fixture
def four(session: Session) -> dict[str, Contact]:
    found = {
        name: person(session, name, sex=sex, age=age)
        for name, sex, age in (("Luz", "M", 20), ("Ana", "M", 50), ("Leo", "H", 20), ("Eva", "M", 25))
    }
    session.commit()
    return found


def made(session: Session, name: str = "Mujeres", rule: Any = WOMEN) -> Segment:
    segment = segments.save(session, None, name, rule, None)
    session.commit()
    return segment


def plan(segment: Segment, frozen: FrozenSegment | None) -> CallPlan:
    return CallPlan("Sondeo", segment.id, "survey", "operator", "simulated", "+525512340000", "Casa",
                    "https://example.org/aviso", "Hola", frozen_segment_id=frozen.id if frozen else None)  # fmt: skip


def test_the_history_says_in_words_what_changed_and_an_old_version_is_put_in_force_again(
    session: Session, strategist: FlaskClient
) -> None:
    segment = made(session)
    segments.save(session, segment.id, "Mujeres", {"all": [*WOMEN["all"], *YOUNG["all"]]}, None)
    session.commit()
    page = strategist.get(f"/segments/{segment.id}/versions", headers={"Accept-Language": "en"}).text
    assert re.search(r"came[^>]*>.*Age is at most 29", page)
    assert post(strategist, f"/segments/{segment.id}/restore/1", {}).status_code == 302
    session.expire_all()
    assert (segment.version, segment.rule["all"]) == (3, WOMEN["all"])
    assert session.scalar(select(func.count()).where(AuditEntry.action == "segments.restore")) == 1
    assert post(strategist, f"/segments/{segment.id}/restore/9", {}).status_code == 404


def test_a_segment_that_was_never_changed_has_a_page_of_versions_too(session: Session, strategist: FlaskClient) -> None:
    segment = Segment(name="Old", rule={"all": []})
    session.add(segment)
    session.commit()
    assert strategist.get(f"/segments/{segment.id}/versions").status_code == 200


def test_a_version_whose_rule_broke_since_is_not_put_in_force(session: Session, strategist: FlaskClient) -> None:
    other = made(session, "Other")
    segment = made(session, "Names another", {"all": [{"segment": other.id}]})
    segments.save(session, segment.id, "Names another", WOMEN, None)
    session.commit()
    assert post(strategist, f"/segments/{other.id}/delete", {}).status_code == 302
    assert post(strategist, f"/segments/{segment.id}/restore/1", {}).status_code == 302
    session.expire_all()
    assert segment.version == 2
    assert "alert-danger" in strategist.get(f"/segments/{segment.id}/versions").text


def test_a_frozen_list_keeps_its_people_and_is_listed(
    session: Session, strategist: FlaskClient, four: dict[str, Contact]
) -> None:
    segment = made(session)
    assert post(strategist, f"/segments/{segment.id}/freeze", {}).status_code == 302
    frozen = session.scalars(select(FrozenSegment)).one()
    assert frozen.people == 3
    person(session, "Mar", sex="M", age=30)
    session.commit()
    rule = audiences.frozen_rule(frozen.id)
    assert segments.count(session, rule).matching == 3
    assert segments.count(session, segment.rule).matching == 4
    assert f'<th scope="row" class="number">{frozen.id}</th>' in strategist.get(f"/segments/{segment.id}/versions").text


def test_a_large_list_is_frozen_by_a_job_once(
    session: Session, strategist: FlaskClient, four: dict[str, Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, str, int]] = []
    monkeypatch.setattr(segment_jobs, "AT_ONCE", 1)
    monkeypatch.setattr(segment_jobs, "enqueue_later", lambda _session, _name, *arguments: asked.append(arguments))
    segment = made(session)
    for _click in range(2):
        assert post(strategist, f"/segments/{segment.id}/freeze", {}).status_code == 302
    assert len(asked) == 1
    assert "hx-get" in strategist.get(f"/segments/{segment.id}/frozen").text
    for _run in range(2):
        segment_jobs.freeze_segment(*asked[0])
    assert session.scalar(select(func.count()).select_from(FrozenSegment)) == 1
    assert "hx-get" not in strategist.get(f"/segments/{segment.id}/frozen").text


def test_a_calling_campaign_reaches_the_frozen_list_or_the_segment_of_the_day(
    session: Session, cast: Cast, four: dict[str, Contact]
) -> None:
    segment = made(session)
    frozen = segments.freeze(session, segment.id, None)
    person(session, "Mar", sex="M", age=30)
    reached = []
    for chosen in (frozen, None):
        campaign = calling.create(session, plan(segment, chosen), None)
        reached.append(calling.launch(session, campaign.id, None))
        session.commit()
    assert reached == [3, 4]
    assert session.scalar(select(func.count()).select_from(QueueEntry)) == 7


def test_a_message_campaign_reaches_the_frozen_list(
    session: Session, cast: Cast, four: dict[str, Contact], strategist: FlaskClient
) -> None:
    segment = made(session)
    frozen = segments.freeze(session, segment.id, None)
    person(session, "Mar", sex="M", age=30)
    session.commit()
    first = strategist.get("/campaigns/messages/new").headers["Location"]
    assert f'value="{segment.id}/{frozen.id}"' in strategist.get(first.replace("/goal", "/people")).text
    wanted = MessagePlan("Hola", segment.id, "survey", "Hola. BAJA para no recibir", "+525512340001", "simulated",
                         frozen_segment_id=frozen.id)  # fmt: skip
    campaign = message_campaigns.create(session, wanted, None)
    message_campaigns.launch(session, campaign.id, None)
    message_planning.write_for_segment(session, campaign.id)
    assert session.scalar(select(func.count()).select_from(Message)) == 3
    session.commit()
    assert "Mujeres" in strategist.get(f"/campaigns/messages/{campaign.id}").text


def test_a_campaign_takes_no_list_of_another_segment_and_no_nonsense(
    session: Session, four: dict[str, Contact]
) -> None:
    frozen = segments.freeze(session, made(session).id, None)
    other = made(session, "Young", YOUNG)
    with pytest.raises(NotFound):
        calling.create(session, plan(other, frozen), None)
    for nonsense in ("", "x", "1/", "/1", "1/2/3", "9999999999999"):
        with pytest.raises(ValueError, match=f"^{re.escape(nonsense)}$"):
            audiences.read(nonsense)


def test_a_segment_in_use_stays_and_an_unused_one_goes(
    session: Session, strategist: FlaskClient, four: dict[str, Contact]
) -> None:
    segment = made(session)
    made(session, "Names it", {"any": [{"not": [{"segment": segment.id}]}]})
    calling.create(session, plan(segment, None), None)
    session.commit()
    kinds = {use.kind for use in segment_uses.uses(session)[segment.id]}
    assert kinds == {"calls", "segment"}
    listed = strategist.get("/segments/").text
    assert "Sondeo" in listed
    assert f"/segments/{segment.id}/delete" not in listed
    assert post(strategist, f"/segments/{segment.id}/delete", {}).status_code == 409
    assert session.get(Segment, segment.id) is not None
    free = made(session, "Free")
    free_id = free.id
    segments.freeze(session, free.id, None)
    session.commit()
    assert f"/segments/{free.id}/delete" in strategist.get("/segments/").text
    assert post(strategist, f"/segments/{free.id}/delete", {}).status_code == 302
    session.expire_all()
    assert session.get(Segment, free_id) is None
    assert session.scalar(select(func.count()).where(AuditEntry.action == "segments.delete")) == 1


def test_a_copy_has_a_free_name_and_the_same_rule(session: Session, strategist: FlaskClient) -> None:
    segment = made(session)
    for _click in range(3):
        assert post(strategist, f"/segments/{segment.id}/duplicate", {}).status_code == 302
    found = session.scalars(select(Segment).where(Segment.id != segment.id)).all()
    assert len({one.name for one in found}) == 3
    assert all(one.rule == segment.rule for one in found)


def test_two_segments_are_compared_and_each_part_becomes_a_segment(
    session: Session, strategist: FlaskClient, four: dict[str, Contact]
) -> None:
    women, young = made(session), made(session, "Young", YOUNG)
    sides = {"a": f"segment-{women.id}", "b": f"segment-{young.id}"}
    page = strategist.get("/segments/compare", query_string=sides).text
    assert re.findall(r'stat-value">(\d+)', page) == ["1", "2", "1"]
    shown = post(strategist, "/segments/compare/sample", {**sides, "part": "only_a"}).text
    assert "Ana" in shown
    assert "Luz" not in shown
    for part, names in (("either", 4), ("both", 2), ("only_a", 1), ("only_b", 1)):
        for _click in range(2):
            assert post(strategist, "/segments/combine", {**sides, "part": part}).status_code == 302
        newest = session.scalars(select(Segment).order_by(Segment.id.desc())).first()
        assert newest is not None
        assert "Young" in newest.name
        assert segments.count(session, newest.rule).matching == names


def test_a_comparison_of_nothing_or_of_what_is_gone_says_so(session: Session, strategist: FlaskClient) -> None:
    segment = made(session)
    assert strategist.get("/segments/compare").status_code == 200
    gone = {"a": f"segment-{segment.id}", "b": "segment-999"}
    assert "alert-danger" in strategist.get("/segments/compare", query_string=gone).text
    assert strategist.get("/segments/compare?a=x-1&b=segment-").status_code == 200
    assert post(strategist, "/segments/combine", {**gone, "part": "both"}).status_code == 422
    assert post(strategist, "/segments/combine", {"a": gone["a"], "b": gone["a"], "part": "x"}).status_code == 422
    assert post(strategist, "/segments/compare/sample", {"part": "both"}).status_code == 422


def test_a_row_on_another_segment_and_on_a_frozen_list_means_it(
    session: Session, strategist: FlaskClient, four: dict[str, Contact]
) -> None:
    segment = made(session)
    frozen = segments.freeze(session, segment.id, None)
    session.commit()
    form = {"name": "Both", "node": ["r", "a", "b"], "group-r": "all", "in-a": "r", "field-a": "segment",
            "op-a": "not_in", "value-a": str(segment.id), "in-b": "r", "field-b": "frozen", "op-b": "in",
            "value-b": str(frozen.id)}  # fmt: skip
    assert post(strategist, "/segments/", form).status_code == 302
    saved = session.scalars(select(Segment).where(Segment.name == "Both")).one()
    assert saved.rule["all"] == [{"not": [{"segment": segment.id}]}, {"frozen": frozen.id}]
    page = strategist.get(f"/segments/{saved.id}").text
    assert page.count('class="rule-row"') == 2
    assert "Mujeres" in page
