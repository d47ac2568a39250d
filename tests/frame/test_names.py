"""Ids sort as they were made, and have the shapes that clients require_safe_settings on."""

from __future__ import annotations

import re
import uuid
from time import sleep

import pytest

from identity.foundation import names


def test_ids_of_rows_sort_as_they_were_made() -> None:
    made = []
    for _ in range(200):
        made.append(names.uuid7())
        sleep(0.00001)

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {found.version for found in made} == {7}
    assert {found.variant for found in made} == {uuid.RFC_4122}


def test_random_ids_are_version_four() -> None:
    made = [names.uuid4_text() for _ in range(500)]

    assert [str(uuid.UUID(text)) for text in made] == made
    assert {(uuid.UUID(text).version, uuid.UUID(text).variant) for text in made} == {(4, uuid.RFC_4122)}
    assert len(set(made)) == len(made)


def test_a_partitions_border_lies_below_its_ids() -> None:
    moment = int.from_bytes(names.uuid7().bytes[:6], "big")

    assert names.uuid7_floor(moment) <= names.uuid7() < names.uuid7_floor(moment + 60_000)


def test_public_ids_have_amazons_shapes() -> None:
    assert re.fullmatch(r"us-east-1_[0-9A-Za-z]{9}", names.pool_id())
    assert re.fullmatch(r"[a-z0-9]{26}", names.client_id())
    assert re.fullmatch(r"[\w+]{24,64}", names.client_secret())
    assert names.IDENTITY_ID.match(names.identity_id())
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", names.access_key_id())


def test_what_renderers_ignore_is_unicodes_list() -> None:
    ignored = [point for point in range(0x110000) if names.IGNORABLE.match(chr(point))]

    assert len(ignored) == 4174  # as DerivedCoreProperties.txt counts them, the unassigned among them
    assert not any(names.is_plain(f"a{chr(point)}b") or names.is_visible(f"a{chr(point)}b") for point in ignored)


@pytest.mark.parametrize("name", ["a", "Ünï-çødé", "名前", "e\u0301", "☂", "٣", "राम"])
def test_a_name_that_is_seen_is_plain(name: str) -> None:
    assert names.is_plain(name)
    assert names.is_visible(f"{name} {name}")
    assert not names.is_plain(f"{name} {name}")
    for space in (" ", "\u00a0", "\u3000", "\t"):
        assert not names.is_visible(name + space)
        assert not names.is_visible(space + name)
