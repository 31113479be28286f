"""Included files become one table that still knows where each key came from."""

from __future__ import annotations

from mailgate.core.settings.merge import merge


def test_tables_go_into_one_another_and_arrays_of_tables_follow_each_other():
    merged = merge(
        [
            {"desk": {"tag": "A"}, "rules": [{"name": "one"}], "clients": {"a": {"name": "A"}}},
            {"desk": {"url": "u"}, "rules": [{"name": "two"}], "clients": {"b": {"name": "B"}}},
        ]
    )
    assert merged.clashes == []
    assert merged.data == {
        "desk": {"tag": "A", "url": "u"},
        "rules": [{"name": "one"}, {"name": "two"}],
        "clients": {"a": {"name": "A"}, "b": {"name": "B"}},
    }
    assert merged.origin(("rules", 1, "set", "priority")) == (1, ("rules", 0, "set", "priority"))
    assert merged.origin(("desk", "url")) == (1, ("desk", "url"))
    assert merged.origin(("clients", "b", "addresses", 2)) == (1, ("clients", "b", "addresses", 2))
    assert merged.origin(("web", "listen")) == (0, ("web", "listen"))


def test_a_key_that_is_set_again_keeps_its_first_value_and_is_told():
    merged = merge([{"desk": {"tag": "A"}, "x": [1]}, {"desk": {"tag": "A"}, "x": [2]}])
    assert merged.data == {"desk": {"tag": "A"}, "x": [1]}
    assert merged.clashes == [((1, ("desk", "tag")), ("desk", "tag")), ((1, ("x",)), ("x",))]


def test_a_table_and_a_value_of_the_same_name_clash():
    for one, other in (({}, 1), (1, {}), ([{}], {}), ({}, [{}])):
        merged = merge([{"a": one}, {"a": other}])
        assert merged.data == {"a": one}
        assert merged.clashes == [((1, ("a",)), ("a",))]


def test_merging_changes_none_of_the_files():
    tables = [{"rules": [{"name": "one"}], "desk": {}}, {"rules": [{"name": "two"}], "desk": {"tag": "A"}}]
    merge(tables)
    assert tables == [
        {"rules": [{"name": "one"}], "desk": {}},
        {"rules": [{"name": "two"}], "desk": {"tag": "A"}},
    ]
