"""What a request may say, what it may not, and how the text's contradictions are decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz.fields import DemographicType, FieldDefinition, FieldType
from alp_daemon.files.informz.request import Action, read_bulk_upload
from alp_daemon.files.informz.values import DataType

from .requests import EXAMPLES, cdata, field, node, parsed, request, write

EMAIL = FieldDefinition("Email", 0, FieldType.email)
STATE = field("State", 2, "Demographic")
INTEREST = field("Interest", 2, "Interest")


def refused(folder: Path, content: str | bytes) -> UnusableFile:
    with pytest.raises(UnusableFile) as refusal:
        parsed(folder, content)
    return refusal.value


def test_the_example_with_demographics() -> None:
    upload = read_bulk_upload(EXAMPLES / "demographic.xml")
    assert upload.brand_id == "9999"
    assert (upload.user, upload.password) == ("", "")
    assert upload.action is Action.add_or_update
    assert upload.interests == ("Test Interest",)
    assert upload.recipients == ("yournamehere@informz.com",)
    assert (upload.delimiter, upload.quotes, upload.blank_removes) == (",", True, False)
    assert upload.fields == (
        EMAIL,
        FieldDefinition("FirstName", 1, default="Valued Customer"),
        FieldDefinition("API_States", 2, FieldType.demographic, default="NY", demographic_type=DemographicType.state),
    )
    assert upload.has_data


def test_the_example_that_resubscribes_has_neither_interests_nor_details_of_format() -> None:
    upload = read_bulk_upload(EXAMPLES / "resubscribe.xml")
    assert upload.action is Action.resubscribe
    assert upload.interests == ()
    assert (upload.delimiter, upload.quotes) == ("\t", False)
    assert upload.fields == (EMAIL,)
    assert not upload.has_data


def test_the_example_with_interests() -> None:
    upload = read_bulk_upload(EXAMPLES / "interests.xml")
    assert (upload.user, upload.password) == ("testuser", "apasswordgoeshere")
    assert (upload.delimiter, upload.quotes) == ("~", False)
    assert upload.fields == (EMAIL, FieldDefinition("Interest", 1, FieldType.interest))
    assert upload.interests == ()


def test_the_password_is_never_shown() -> None:
    assert "apasswordgoeshere" not in repr(read_bulk_upload(EXAMPLES / "interests.xml"))


@pytest.mark.parametrize("action", Action)
def test_the_five_actions(action: Action, tmp_path: Path) -> None:
    assert parsed(tmp_path, request(action=action, interests=("News",))).action is action


@pytest.mark.parametrize("action", ["addorupdatesubscribers", "AddSubscribers", ""])
def test_an_action_is_matched_exactly(action: str, tmp_path: Path) -> None:
    error = refused(tmp_path, request(action=action))
    assert error.code == "bad_value"
    assert "InterestAction" in str(error)
    assert "ResubscribeSubscribers" in str(error)


def test_interests_are_trimmed_and_distinct_in_their_order(tmp_path: Path) -> None:
    upload = parsed(tmp_path, request(interests=(" News ", "Events", "News", " ")))
    assert upload.interests == ("News", "Events")


@pytest.mark.parametrize(
    ("recipients", "expected"),
    [
        ("<Email/>", ()),
        ("<Email> </Email>", ()),
        ("", ()),
        ("<Email> A@Example.com</Email><Email/><Email>b@example.com</Email>", ("a@example.com", "b@example.com")),
        ("<Email>a@example.com</Email><Email>A@example.COM</Email>", ("a@example.com",)),
    ],
)
def test_recipients(recipients: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    assert parsed(tmp_path, request(recipients=recipients)).recipients == expected


def test_a_recipient_that_is_no_address_is_refused_without_showing_it(tmp_path: Path) -> None:
    error = refused(tmp_path, request(recipients="<Email>a@example.com&#10;Bcc: b@example.com</Email>"))
    assert error.code == "bad_value"
    assert "example.com" not in str(error)


@pytest.mark.parametrize(
    ("delimiter", "expected"),
    [
        (None, "\t"),
        ("", "\t"),
        (",", ","),
        (" ; ", ";"),
        ("&#9;", "\t"),
        (cdata("\t"), "\t"),
        (f"\n    {cdata(chr(9))}\n  ", "\t"),
        (cdata(" "), "\t"),
        ("&amp;", "&"),
        ("¦", "¦"),
    ],
)
def test_the_delimiter_is_a_tab_unless_there_is_another_sign(
    delimiter: str | None, expected: str, tmp_path: Path
) -> None:
    assert parsed(tmp_path, request(delimiter=delimiter)).delimiter == expected


@pytest.mark.parametrize("delimiter", ["||", "a", "7", '"', "\\t"])
def test_a_delimiter_that_is_not_one_sign_is_refused(delimiter: str, tmp_path: Path) -> None:
    error = refused(tmp_path, request(delimiter=delimiter))
    assert error.code == "bad_value"
    assert "ColumnDelimiter" in str(error)


@pytest.mark.parametrize(
    ("bit", "expected"),
    [
        *((bit, True) for bit in ("1", "true", "True", "YES", " yes ")),
        *((bit, False) for bit in (None, "", "0", "false", "No")),
    ],
)
def test_bits(bit: str | None, expected: bool, tmp_path: Path) -> None:
    upload = parsed(
        tmp_path, request("", field("Pets", 2, "Demographic", IsMultiple=bit), quotes=bit, blank_removes=bit)
    )
    assert (upload.quotes, upload.blank_removes, upload.fields[1].multiple) == (expected, expected, expected)


def test_a_bit_that_is_none(tmp_path: Path) -> None:
    error = refused(tmp_path, request(quotes="maybe"))
    assert error.code == "bad_value"
    assert "HasFieldsEnclosedInQuotes: expected 1, true or yes, or 0, false or no, found 'maybe'." in str(error)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (field("Age", 3), FieldDefinition("Age", 2)),
        (field(" Age ", " 3 ", "", DataType=""), FieldDefinition("Age", 2)),
        (
            field("Age", 3, DataType="INTEGER", DefaultValue=" 18 "),
            FieldDefinition("Age", 2, data_type=DataType.integer, default=18),
        ),
        (
            field("Born", 3, "personalinfo", DataType="Date", DefaultValue="7/4/1976"),
            FieldDefinition("Born", 2, data_type=DataType.date, default="1976-07-04"),
        ),
        (field("Ref", 2, "ID"), FieldDefinition("Ref", 1, FieldType.id)),
        (field("Came from", 3, "Source"), FieldDefinition("Came from", 2, FieldType.source)),
        (field("Format", 3, "NewsFormat"), FieldDefinition("Format", 2, FieldType.news_format)),
        (
            field("Land", 3, "Demographic", DemographicType="country", IsMultiple="true", DefaultValue="US; CA"),
            FieldDefinition(
                "Land", 2, FieldType.demographic, DataType.string, ("CA", "US"), DemographicType.country, True
            ),
        ),
    ],
)
def test_field_definitions(definition: str, expected: FieldDefinition, tmp_path: Path) -> None:
    assert parsed(tmp_path, request("", definition)).fields == (EMAIL, expected)


def test_one_column_may_serve_two_fields(tmp_path: Path) -> None:
    upload = parsed(tmp_path, request("", STATE, field("Home", 2)))
    assert [definition.column for definition in upload.fields] == [0, 1, 1]


def test_the_name_email_needs_no_type(tmp_path: Path) -> None:
    plain = request(definitions=False).replace(
        "<Data>",
        "<FieldDefinitions><FieldDefinition>" + field("EMAIL", 1) + "</FieldDefinition></FieldDefinitions><Data>",
    )
    assert parsed(tmp_path, plain).fields[0].field_type is FieldType.email


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (request(namespace=""), "wrong_namespace"),
        (request(namespace=' xmlns="http://partner.informz.net/aapi/2010/01/"'), "wrong_namespace"),
        (request().replace("<Actions>", '<Actions xmlns="">'), "wrong_namespace"),
        (request().replace("ActionRequest", "GridRequest"), "wrong_root"),
        (request(brand=""), "missing_node"),
        (request(brand="<Brand>Acme</Brand>"), "missing_node"),
        (request(brand='<Brand id=" ">Acme</Brand>'), "missing_node"),
        (request(action=None), "missing_node"),
        (request(recipients=None), "missing_node"),
        (request(data=None), "missing_node"),
        (request(definitions=False), "missing_node"),
        (request().replace("<FieldType>Email</FieldType>", "").replace("<Name>Email", "<Name>Mail"), "missing_node"),
        (request("", node("Name", "Age")), "missing_node"),
        (request("", node("ColumnIndex", "2")), "missing_node"),
        (request("", field("Age", 0)), "bad_value"),
        (request("", field("Age", "x")), "bad_value"),
        (request("", field("Age", "²")), "bad_value"),
        (request("", field("Age", 16_385)), "bad_value"),
        (request("", field("", 2)), "bad_value"),
        (request("", field("x" * 101, 2)), "bad_value"),
        (request("", field("A&#9;B", 2)), "bad_value"),
        (request("", field("Age", 2, DataType="Number")), "bad_value"),
        (request("", field("Age", 2, "Hobby")), "bad_value"),
        (request("", field("Age", 2, DataType="Integer", DefaultValue="old")), "bad_value"),
        (request("", field("Email", 2, "Demographic")), "bad_value"),
        (request(id_column="two"), "bad_value"),
        (request("", field("Email", 1, "Email")), "two_emails"),
        (request("", field("Other", 1, "Email")), "two_emails"),
        (request("", INTEREST, field("More", 3, "Interest"), delimiter="~"), "two_interests"),
        (request("", INTEREST, field("interest", 3), delimiter="~"), "two_interests"),
        (request("", field("Age", 2), field("AGE", 3)), "duplicate_field"),
        (request("", field("A", 2, "ID"), field("B", 2, "ID")), "duplicate_field"),
        (request("", field("A", 2, "Source"), field("B", 3, "Source")), "duplicate_field"),
        (request("", field("ID", 3), id_column="2"), "duplicate_field"),
        (request().replace("<ColumnIndex>1<", "<ColumnIndex>2<"), "email_not_first"),
        (request("", field("Ref", 3, "ID")), "id_not_second"),
        (request(id_column="3"), "id_not_second"),
        (request("", field("Ref", 2, "ID"), id_column="3"), "id_conflict"),
        (request("", INTEREST), "comma_with_interests"),
        (request(action="RemoveSubscribers"), "no_interest"),
        (request(action="ReplaceAllSubscribers"), "no_interest"),
        (request(action="ReplaceAllSubscribers", interests=("  ",)), "no_interest"),
        (request(more="<BulkUpload/>"), "not_one_upload"),
        (request(more="<Mailing/>"), "not_one_upload"),
        (request().replace("BulkUpload", "Mailing"), "not_one_upload"),
        (
            '<ActionRequest xmlns="http://partner.informz.net/aapi/2009/08/"><Brand id="1"/><Actions/></ActionRequest>',
            "not_one_upload",
        ),
        (request(quotes="1</HasFieldsEnclosedInQuotes><HasFieldsEnclosedInQuotes>0"), "duplicate_node"),
        (request(data="a@example.com,<b>Bo</b>"), "unknown_node"),
        (request().replace("ColumnDelimiter", "ColumnDelimeter"), "unknown_node"),
        (request(brand='<Brand id="1"><i>Acme</i></Brand>'), "unknown_node"),
        (request().replace("<Actions>", "<Actions>now"), "bad_value"),
    ],
)
def test_what_is_refused(content: str, code: str, tmp_path: Path) -> None:
    error = refused(tmp_path, content)
    assert error.code == code
    assert str(error).startswith("upload.xml: line ")


def test_a_refusal_names_line_and_node_and_says_what_to_do(tmp_path: Path) -> None:
    error = refused(tmp_path, request().replace("ColumnDelimiter", "ColumnDelimeter"))
    assert str(error) == (
        "upload.xml: line 6: BulkUpload/UploadDetails/ColumnDelimeter: there is no such node. "
        "Did you mean ColumnDelimiter?"
    )


def test_a_refusal_never_shows_the_password(tmp_path: Path) -> None:
    error = refused(tmp_path, request().replace("apasswordgoeshere", "apassword<b/>goeshere"))
    assert "apassword" not in str(error)


@pytest.mark.parametrize("action", ["UnsubscribeSubscribers", "ResubscribeSubscribers", "AddOrUpdateSubscribers"])
def test_most_actions_need_no_interest(action: str, tmp_path: Path) -> None:
    assert parsed(tmp_path, request(action=action)).interests == ()


@pytest.mark.parametrize("action", ["RemoveSubscribers", "ReplaceAllSubscribers"])
def test_the_interests_may_stand_in_the_records(action: str, tmp_path: Path) -> None:
    upload = parsed(tmp_path, request("", INTEREST, action=action, delimiter="~"))
    assert [definition.field_type for definition in upload.fields] == [FieldType.email, FieldType.interest]


def test_removal_ignores_definitions(tmp_path: Path) -> None:
    broken = (STATE, field("Email", 3, "Email"), field("", "x"), INTEREST)
    upload = parsed(tmp_path, request("", *broken, action="RemoveSubscribers", interests=("News",), id_column="9"))
    assert upload.fields == (EMAIL,)


def test_removal_needs_no_definitions(tmp_path: Path) -> None:
    upload = parsed(tmp_path, request(definitions=False, action="RemoveSubscribers", interests=("News",)))
    assert upload.fields == (EMAIL,)


def test_column_index_of_the_details_is_the_id(tmp_path: Path) -> None:
    assert parsed(tmp_path, request(id_column="2")).fields == (EMAIL, FieldDefinition("ID", 1, FieldType.id))
    both = parsed(tmp_path, request("", field("Ref", 2, "ID"), id_column="2"))
    assert both.fields == (EMAIL, FieldDefinition("Ref", 1, FieldType.id))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", False),
        (" \n\t ", False),
        (cdata("\n \n"), False),
        ("a@example.com", True),
        (cdata("\n a@example.com"), True),
    ],
)
def test_whether_there_is_data(data: str, expected: bool, tmp_path: Path) -> None:
    assert parsed(tmp_path, request(data=data)).has_data is expected


def test_the_namespace_may_have_a_prefix(tmp_path: Path) -> None:
    prefixed = (
        request().replace("</", "</i:").replace("<", "<i:").replace("<i:/i:", "</i:").replace("xmlns=", "xmlns:i=")
    )
    assert parsed(tmp_path, prefixed).user == "testuser"


def test_the_order_of_nodes_does_not_matter(tmp_path: Path) -> None:
    content = request("a@example.com,NY\n", STATE)
    begin, end = content.index("<FieldDefinitions>"), content.index("<Data>")
    definitions = content[begin:end]
    turned = content.replace(definitions, "").replace("</Data>", f"</Data>{definitions}")
    assert parsed(tmp_path, turned) == parsed(tmp_path, content)


def test_messages_call_the_file_what_they_are_told_to(tmp_path: Path) -> None:
    path = write(tmp_path, "<a/>")
    with pytest.raises(UnusableFile, match=r"^members\.xml: line 1: expected ActionRequest"):
        read_bulk_upload(path, "members.xml")
