"""Cells as lists hold them, for property tests: phones of the kinds that domain and samples show, and dirt."""

from itertools import pairwise

from hypothesis import strategies as st

_digits = st.text(alphabet="0123456789", min_size=6, max_size=12)
_national = st.one_of(
    st.from_regex(r"\A(?:55|228|921|229|33|81|987|222|111|800|956)[0-9]{7,8}\Z"), _digits,
    st.sampled_from(["2281234567", "5555555555", "2222222222", "1234567890", "9876543210", "1234567", "911"]),
)  # fmt: skip
_before = st.sampled_from(
    ["", "", "+52", "+52 ", "52", "521", "+521", "+52 1 ", "044", "045 ", "01 ", "01", "0052", "00 52 ", "00521",
     "011 52 ", "0115", "1", "01 800", "cel. ", "tel ", "cel", "Cel.", "TEL. ", "'", "+", "+1", "'+", "+'", "(", "((",
     "00", "011", "5", "\u200e", "WhatsApp: "]
)  # fmt: skip
_between = st.sampled_from([" ", "-", "\u00a0", "  ", ") ", ".", "(", "/", "", ","])
_after = st.sampled_from(["", "", ".0", " ", ".00", "0", " ext 12", " y ", "\u200b", "E+09", "-", ")", "l"])


def _group(number: str, between: str, cuts: list[int]) -> str:
    edges = [0, *sorted(cuts), len(number)]
    return between.join(number[a:b] for a, b in pairwise(edges))


phone = st.builds(
    lambda one, two, number, between, cuts, after: one + two + _group(number, between, cuts) + after,
    _before, _before, _national, _between, st.lists(st.integers(1, 9), max_size=3), _after,
)  # fmt: skip
wide_phone = phone.map(lambda text: text.translate({48 + digit: 0xFF10 + digit for digit in range(10)}))
two_phones = st.builds(
    lambda a, middle, b: a + middle + b, phone, st.sampled_from([" / ", " ", "/", " y ", ";"]), phone
)
phones = st.one_of(
    phone, phone, phone, wide_phone, two_phones, st.text(max_size=25),
    st.text(alphabet="0123456789+() -.'/eElcy", max_size=24),
)  # fmt: skip
_word = st.sampled_from(
    ["Ana", "MARÍA", "José", "de la", "Peña", " Güemes", "Ñáñez", "A.", "S/N", "na", "-", "NULL", "Total", "O'Brien",
     "ma\u0301s", "Ｗide", "ΣΑΣ", "ß", "\u200b", "\x07", "PEAA900531MVZRNN09", "ABDAGA90010130H700", "no tiene",
     "\u00a0",      "x PEAA900531MVZRNN09 y", "Promotor  01"]
)  # fmt: skip
words = st.one_of(st.lists(_word, max_size=4).map(" ".join), st.text(max_size=20))
