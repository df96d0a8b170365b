"""Tables on a terminal."""

from message_contacts.cli.tables import print_table


def test_columns_line_up_beside_characters_of_double_width(capsys):
    print_table(("name", "status"), [("王芳", "Active"), ("Tom", "Verifying")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["name  status", "王芳  Active", "Tom   Verifying"]
