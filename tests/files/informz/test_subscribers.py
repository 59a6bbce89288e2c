"""The records: whose they are, what they say, and what became of each."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.model import Reject
from alp_daemon.domain.subscribers import BLANK, UNSAID, Subscribers
from alp_daemon.errors import UnusableFile
from alp_daemon.files import container, fastcsv
from alp_daemon.files.byteblock import ByteBlock
from alp_daemon.files.informz import address, document
from alp_daemon.files.informz.request import read_bulk_upload
from alp_daemon.files.informz.subscribers import read_subscribers
from alp_daemon.files.informz.values import BadValue, DataType, parser
from alp_daemon.files.lines import MAX_ROW

from .requests import EXAMPLES, field, interests_of, request, subscribers, values_of

NAME = field("Name", 2)
AGE = field("Age", 3, DataType="Integer")
INTEREST = field("Interest", 2, "Interest")


def example(name: str, *known: str) -> Subscribers:
    path = EXAMPLES / f"{name}.xml"
    return read_subscribers(path, read_bulk_upload(path), name=path.name, known_interests=known)


def rejects(said: Subscribers) -> list[Reject]:
    return said.rejects.kept


def test_the_example_with_demographics() -> None:
    said = example("demographic", "Test Interest")
    everybody = ["heck@informz.com", "vincent@informz.com", "shaw@informz.com"]
    assert said.addresses == everybody
    assert interests_of(said) == dict.fromkeys(everybody, ("Test Interest",))
    assert values_of(said, "FirstName") == dict(zip(everybody, ["Tim", "Jason", "Paul"], strict=True))
    assert values_of(said, "API_States") == dict.fromkeys(everybody, "NY")
    assert said.columns[0].default == "Valued Customer"
    assert said.interests_named == ("Test Interest",)
    assert (said.buckets.read, said.buckets.listed, said.buckets.blank) == (4, 3, 1)


def test_the_example_with_interests() -> None:
    said = example("interests", "Test Interest", "Opt-Ins")
    assert interests_of(said) == {
        "johndoe@informz.com": ("Opt-Ins", "Test Interest"),
        "interested@informz.com": ("Test Interest",),
    }
    assert said.ignored_interests == {"My New Interest": 1}
    assert said.columns == ()


def test_the_example_without_records() -> None:
    said = example("resubscribe")
    assert said.addresses == []
    assert said.buckets.read == 0


@pytest.mark.parametrize("data", ["", "\n\n", "<![CDATA[]]>"])
def test_an_empty_data_node_has_no_subscribers(data: str, tmp_path: Path) -> None:
    said = subscribers(tmp_path, request("", NAME, data=data))
    assert said.addresses == []
    assert said.columns[0].codes.tolist() == []
    assert said.buckets.read == said.buckets.blank


def test_there_is_no_header(tmp_path: Path) -> None:
    said = subscribers(tmp_path, request("Email,Name\na@example.com,Ann\n", NAME))
    assert said.addresses == ["a@example.com"]
    assert rejects(said) == [Reject(1, "Email", "Email", "bad_email")]


def test_blanks_around_fields_are_trimmed_and_addresses_in_lower_case(tmp_path: Path) -> None:
    said = subscribers(tmp_path, request("  A@Example.COM \t,  Ann  Lee ,\t7\n", NAME, AGE))
    assert values_of(said, "Name") == {"a@example.com": "Ann  Lee"}
    assert values_of(said, "Age") == {"a@example.com": 7}


def test_columns_without_a_definition_are_ignored(tmp_path: Path) -> None:
    said = subscribers(tmp_path, request("a@example.com,x,30,secret,more\n", AGE))
    assert [column.name for column in said.columns] == ["Age"]
    assert values_of(said, "Age") == {"a@example.com": 30}
    assert rejects(said) == []


def test_every_record_ends_in_one_bucket_and_says_why(tmp_path: Path) -> None:
    records = (
        "a@example.com,Ann,30\n"
        "\n"
        ",,\n"
        ",Bob,31\n"
        "bob at example,Bob,31\n"
        "c@example.com,Cat\n"
        "a@example.com,Ann,31\n"
        "d@example.com,Dan,x\n"
    )
    said = subscribers(tmp_path, request(records, NAME, AGE))
    assert asdict(said.buckets) == {
        "read": 8,
        "listed": 2,
        "duplicate": 1,
        "rejected": 3,
        "filtered": 0,
        "blank": 2,
        "numbers": 2,
    }
    assert rejects(said) == [
        Reject(4, "Email", "", "no_email"),
        Reject(5, "Email", "bob at example", "bad_email"),
        Reject(6, "", "2 cells, expected 3", "ragged_row"),
        Reject(8, "Age", "x", "bad_integer"),
    ]
    assert said.addresses == ["a@example.com", "d@example.com"]
    assert said.unusable == {"c@example.com"}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ("A@Example.com", {"a@example.com"}),
        (",a@example.com,30", {"a@example.com"}),
        ("Ann <a@example.com>,Ann,30", {"a@example.com"}),
        ("a@example.com; b@example.com,Ann,30", {"a@example.com", "b@example.com"}),
        ("mailto:'a@example.com'.", {"a@example.com"}),
        ("nobody,a@b,@", set()),
        ("nobody at example.com,Ann,30", set()),
        (",,", set()),
        ("b@example.com,a@example.com,30", set()),
    ],
)
@pytest.mark.parametrize("as_arrays", [False, True])
def test_addresses_in_refused_records_are_told(
    record: str, found: set[str], as_arrays: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if as_arrays:
        monkeypatch.setattr(fastcsv, "PAYS_FROM", 0)
    said = subscribers(tmp_path, request(f"z@example.com,Zoe,1\n{record}\ny@example.com,Yin,2\n", NAME, AGE))
    assert said.unusable == found
    assert not found & set(said.addresses)


def test_rejects_are_in_order_and_long_values_cut(tmp_path: Path) -> None:
    born = field("Born", 2, DataType="Date")
    said = subscribers(tmp_path, request(f"a@example.com,{'9' * 300},x\nb@example.com,1/1/2000,y\n", AGE, born))
    assert [(reject.row, reject.column) for reject in rejects(said)] == [(1, "Age"), (1, "Born"), (2, "Age")]
    assert rejects(said)[1].value == "9" * 200 + "…"


def test_one_bad_value_leaves_the_others(tmp_path: Path) -> None:
    said = subscribers(tmp_path, request("a@example.com,Ann,old\nb@example.com,Bob,\n", NAME, AGE))
    assert values_of(said, "Name") == {"a@example.com": "Ann", "b@example.com": "Bob"}
    assert values_of(said, "Age") == {"b@example.com": None}


@pytest.mark.parametrize(
    ("ages", "blank_removes", "expected"),
    [
        (["1", "2"], "0", 2),
        (["1", ""], "0", 1),
        (["1", ""], "1", None),
        (["", "1"], "1", 1),
        (["1", "x"], "1", 1),
        (["", "x"], "1", None),
        (["1", "", "x"], "1", None),
        (["x", ""], "0", None),
    ],
)
def test_several_records_are_applied_one_after_the_other(
    ages: list[str], blank_removes: str, expected: int | None, tmp_path: Path
) -> None:
    records = "".join(f"a@example.com,Ann,{age}\nb@example.com,Bob,5\n" for age in ages)
    said = subscribers(tmp_path, request(records, AGE, blank_removes=blank_removes))
    assert values_of(said, "Age") == {"a@example.com": expected, "b@example.com": 5}


def test_values_that_count_for_nobody_leave_no_trace(tmp_path: Path) -> None:
    records = "a@example.com,Lost\nnobody,Refused\nb@example.com,Kept\na@example.com,Last\nb@example.com,\n"
    said = subscribers(tmp_path, request(records, NAME))
    assert list(said.columns[0].values[1:]) == ["Kept", "Last"]
    assert values_of(said, "Name") == {"a@example.com": "Last", "b@example.com": "Kept"}


def test_default_and_removal_go_with_the_column(tmp_path: Path) -> None:
    said = subscribers(
        tmp_path, request("a@example.com,\n", field("Name", 2, DefaultValue=" Friend "), blank_removes="true")
    )
    assert (said.columns[0].default, said.columns[0].blank_removes) == ("Friend", True)


def test_interests_of_details_and_records_are_united(tmp_path: Path) -> None:
    records = (
        "a@example.com~ News , Events,,Ghosts\nb@example.com~\na@example.com~Events,Jobs\nc@example.com~News,News\n"
    )
    content = request(records, INTEREST, interests=("Jobs", "Gone", "Ghosts"), delimiter="~")
    said = subscribers(tmp_path, content, known=("News", "Events", "Jobs", "Unused"))
    assert interests_of(said) == {
        "a@example.com": ("Events", "Jobs", "News"),
        "b@example.com": ("Jobs",),
        "c@example.com": ("Jobs", "News"),
    }
    assert said.interests_named == ("Jobs",)
    assert said.ignored_interests == {"Gone": 1, "Ghosts": 2}


def test_an_interest_counts_as_ignored_in_records_that_count(tmp_path: Path) -> None:
    said = subscribers(tmp_path, request("nobody~Ghosts\na@example.com~News\n", INTEREST, delimiter="~"))
    assert said.ignored_interests == {}


def test_interests_go_by_their_own_spelling(tmp_path: Path) -> None:
    records = "a@example.com~news\nb@example.com~EVENTS\nc@example.com~events\nd@example.com~Cafe\u0301\n"
    content = request(records, INTEREST, delimiter="~")
    said = subscribers(tmp_path, content, known=("News", "Events", "events", "Café"))
    assert interests_of(said) == {
        "a@example.com": ("News",),
        "b@example.com": (),
        "c@example.com": ("events",),
        "d@example.com": ("Café",),
    }
    assert said.ignored_interests == {"EVENTS": 1}


def test_quotes_count_only_where_declared_and_are_not_needed_then(tmp_path: Path) -> None:
    records = 'a@example.com,"Lee, Ann",30\nb@example.com,Bob,31\n"c@example.com","say ""hi""",32\n'
    declared = subscribers(tmp_path, request(records, NAME, AGE, quotes="1"))
    assert values_of(declared, "Name") == {
        "a@example.com": "Lee, Ann",
        "b@example.com": "Bob",
        "c@example.com": 'say "hi"',
    }
    plain = subscribers(tmp_path, request('a@example.com,"Ann"\nb@example.com,5" nails\n', NAME, quotes="0"))
    assert values_of(plain, "Name") == {"a@example.com": '"Ann"', "b@example.com": '5" nails'}


def test_a_quoted_value_may_hold_a_line_break(tmp_path: Path) -> None:
    said = subscribers(tmp_path, request('a@example.com,"1 Main St\nAlbany"\nnobody,\n', NAME, quotes="1"))
    assert values_of(said, "Name") == {"a@example.com": "1 Main St\nAlbany"}
    assert rejects(said) == [Reject(2, "Email", "nobody", "bad_email")]


def test_a_quote_that_is_never_closed_refuses_all(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match="row 2 opens a quote") as refusal:
        subscribers(tmp_path, request('a@example.com,Ann\nb@example.com,"Bob\nc@example.com,Cat\n', NAME, quotes="1"))
    assert refusal.value.code == "open_quote"


def test_a_record_without_end_refuses_all(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile) as refusal:
        subscribers(tmp_path, request("a@example.com," + "x" * (MAX_ROW + 1), NAME))
    assert refusal.value.code == "row_too_long"


def test_removal_reads_the_first_column_only(tmp_path: Path) -> None:
    content = request("a@example.com\nb@example.com,x,y\n", AGE, action="RemoveSubscribers", interests=("News",))
    said = subscribers(tmp_path, content)
    assert said.addresses == ["a@example.com", "b@example.com"]
    assert said.columns == ()
    assert rejects(said) == []


cells = st.sampled_from(
    ["Ann", "Bob ", "7", " 8", "-1", "", " ", "News", "News,Ghosts", "2.5", "é", "e@d.org", '"a,b"', '"', "x" * 70]
)
addresses = st.sampled_from(
    ["a@example.com", "B@example.com ", "b@example.com", "zoë@example.com", "bad", "", "c@d.org"]
)
record = st.tuples(addresses, st.lists(cells, max_size=4)).map(lambda parts: "~".join([parts[0], *parts[1]]))
full = st.tuples(addresses, st.lists(cells, min_size=3, max_size=3)).map(lambda parts: "~".join([parts[0], *parts[1]]))
records = st.one_of(st.lists(full, max_size=30), st.lists(record, max_size=12)).map(
    lambda rows: "".join(f"{row}\n" for row in rows)
)
FIELDS = (field("Name", 2, IsMultiple="1"), field("Interest", 3, "Interest"), field("Age", 4, DataType="Integer"))


def reference(text: str, *, blank_removes: bool) -> dict[str, tuple[set[str], dict[str, object]]]:
    """Address → interests and said values, record by record."""
    found: dict[str, tuple[set[str], dict[str, object]]] = {}
    for line in text.split("\n"):
        row = [cell.strip() for cell in line.split("~")]
        subscriber = address.parse(row[0])
        if len(row) < 4 or subscriber is None:
            continue
        interests, values = found.setdefault(subscriber, (set(), {}))
        interests.update({"News"} & set(row[2].split(",")))
        for name, cell, parse in (
            ("Name", row[1], parser(DataType.string, multiple=True)),
            ("Age", row[3], parser(DataType.integer)),
        ):
            value = parse(cell)
            if type(value) is not BadValue and (value is not None or blank_removes or values.get(name) is None):
                values[name] = value
    return found


def refused(text: str) -> set[str]:
    """The addresses in the records that are refused."""
    rows = [line.split("~") for line in text.split("\n")]
    parsed = [[address.parse(cell) for cell in row] for row in rows]
    return {each for row in parsed if len(row) < 4 or row[0] is None for each in row if each}


@given(text=records, blank_removes=st.booleans(), chunk=st.sampled_from([97, 300, 2**20]), as_cdata=st.booleans())
def test_equals_the_reference_however_it_is_read(text: str, blank_removes: bool, chunk: int, as_cdata: bool) -> None:
    content = request(
        *(text if as_cdata else "", *FIELDS), delimiter="~", blank_removes=str(blank_removes), data=escape(text)
    )
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastcsv, "PAYS_FROM", 0)
        patch.setattr(document, "CHUNK", chunk)
        patch.setattr(container, "CHUNK", chunk)
        said = subscribers(Path(folder), content)
    assert sum(asdict(said.buckets).values()) - said.buckets.numbers == 2 * said.buckets.read
    assert len(said.addresses) == len(set(said.addresses)) == said.buckets.numbers == said.buckets.listed
    expected = reference(text, blank_removes=blank_removes)
    assert interests_of(said) == {who: tuple(sorted(interests)) for who, (interests, _) in expected.items()}
    assert said.unusable == refused(text)
    for name in ("Name", "Age"):
        assert values_of(said, name) == {who: values[name] for who, (_, values) in expected.items() if name in values}
    for column in said.columns:
        assert set(column.codes.tolist()) - {BLANK, UNSAID} == set(range(1, len(column.values)))


def test_wide_records_are_read_as_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    class Counted(ByteBlock):
        def __len__(self) -> int:
            taken.append(super().__len__())
            return super().__len__()

    monkeypatch.setattr(fastcsv, "ByteBlock", Counted)
    rows = "".join(f"user{n}@example.com,{n % 7},unused,unused\n" for n in range(9000))
    said = subscribers(tmp_path, request(rows, field("Group", 2, DataType="Integer")))
    assert max(taken) > 8000
    assert values_of(said, "Group") == {f"user{n}@example.com": n % 7 for n in range(9000)}
