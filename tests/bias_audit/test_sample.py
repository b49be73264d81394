"""Whom a table names: rows matched to pictures, groups made of values, pairs, and what is left out and why."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from probes import people
from probes.bias_audit import PROBE
from probes.bias_audit.gathering import gather
from probes.bias_audit.parameters import BiasAuditParams
from probes.bias_audit.sample import drawn, grouped, paired
from probes.bias_audit.words import group_text
from probes.core.embeddings import Embeddings
from probes.core.errors import FieldError
from probes.core.model import no_progress
from probes.core.no_model import NoModel
from probes.core.parameters import parse
from probes.core.picture_sets import PictureFiles
from probes.core.probe import run
from probes.core.tables import Table
from probes.core.word_lists import lists
from tests.fakes import PixelBackend


def png(colour):
    stream = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), colour, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return PictureFiles.of_bytes({"set.zip": stream.getvalue()}, "set")


def table(*lines):
    return Table.read("\n".join(lines).encode(), "labels.csv")


def npy(rows):
    stream = io.BytesIO()
    np.save(stream, rows)
    return Embeddings.read(stream.getvalue(), "rows.npy")


def archive(rows, **arrays):
    stream = io.BytesIO()
    np.savez(stream, embeddings=rows, **arrays)
    return Embeddings.read(stream.getvalue(), "rows.npz")


def test_every_row_and_picture_is_used_or_listed():
    files = {f"val/{i}.png": png(9 * i) for i in range(6)} | {"val/bad.png": b"nonsense", "val/lone.png": png(1)}
    rows = table(
        "file,gender", "val/0.png,Male", "1.png,Female", "val\\2.png,Male", "val/3.png,", "val/0.png,Male",
        "val/9.png,Male", ",Male", "val/4.png,Female,x", "val/bad.png,Male", "val/5.png,Female",
    )  # fmt: skip
    params = BiasAuditParams(images=zipped(files), attributes=rows)
    sample = gather(params, PixelBackend(), no_progress)
    assert sample.names == ("val/0.png", "val/1.png", "val/2.png", "val/3.png", "val/5.png")
    assert sample.columns["gender"] == ("Male", "Female", "Male", "", "Female")
    reasons = {(one.row, one.file): one.reason for one in sample.left_out}
    assert reasons[6, "val/0.png"] == "row 2 names that picture already"
    assert reasons[7, "val/9.png"] == "there is no such picture"
    assert reasons[8, ""] == "the row names no file"
    assert reasons[9, ""] == "3 cells under 2 heads"
    assert "not a picture" in reasons[10, "val/bad.png"]
    assert (
        reasons[None, "val/lone.png"] == reasons[None, "val/4.png"] == "no row that can be used names this picture"
    )
    chosen, who = grouped(sample, "GENDER", ())
    assert (who.groups, who.sizes.tolist(), len(chosen)) == (("Female", "Male"), [2, 2], 4)
    assert chosen.left_out[-1].reason == "it has no GENDER"


def test_a_bare_name_is_taken_only_where_it_is_the_only_one():
    files = {f"{folder}/{i}.png": png(5 * i) for folder in "ab" for i in range(2)}
    with pytest.raises(FieldError) as caught:
        gather(
            BiasAuditParams(images=zipped(files), attributes=table("file,g", "0.png,x", "1.png,y")),
            PixelBackend(),
            no_progress,
        )
    assert caught.value.field == "attributes"


@pytest.mark.parametrize(
    ("head", "column", "works"),
    [("img_path", "", True), ("who", "", True), ("who", "who", True), ("who", "nobody", False)],
)
def test_the_column_of_files_is_named_known_or_found(head, column, works):
    params = BiasAuditParams(
        images=zipped({f"{i}.png": png(9 * i) for i in range(4)}),
        attributes=table(f"g,{head}", "x,0.png", "x,1.png", "y,2.png", "y,3.png"),
        file_column=column,
    )
    if works:
        assert len(gather(params, PixelBackend(), no_progress)) == 4
    else:
        with pytest.raises(FieldError, match="there is no column 'nobody'"):
            gather(params, PixelBackend(), no_progress)


def test_embeddings_go_by_ids_or_by_order():
    rows = np.eye(4)
    with_ids = archive(rows, ids=np.array(["d.png", "c.png", "b.png", "a.png"]))
    who = table("file,g", "a.png,x", "b.png,x", "c.png,y", "d.png,y")
    words = npy(np.eye(4)[:1])
    params = BiasAuditParams(image_embeddings=with_ids, text_embeddings=words, words=("w",), attributes=who)
    sample = gather(params, NoModel(), no_progress)
    assert sample.columns["g"] == ("y", "y", "x", "x")
    by_order = BiasAuditParams(image_embeddings=npy(rows), text_embeddings=words, words=("w",), attributes=who)
    assert gather(by_order, NoModel(), no_progress).columns["g"] == ("x", "x", "y", "y")
    short = table("file,g", "a.png,x", "b.png,y")
    with pytest.raises(FieldError, match="2 rows for 4 embeddings"):
        gather(
            BiasAuditParams(image_embeddings=npy(rows), text_embeddings=words, words=("w",), attributes=short),
            NoModel(),
            no_progress,
        )


def test_embeddings_of_another_model_are_refused():
    backend = PixelBackend()
    who = table("g", *["x", "y"] * 3)
    with pytest.raises(FieldError, match="width of these embeddings is 4"):
        gather(BiasAuditParams(image_embeddings=npy(np.ones((6, 4))), attributes=who), backend, no_progress)
    told = np.array('{"model": "other:model", "weights_digest": "abc"}')
    given = archive(np.ones((6, backend.card.width)), provenance=told)
    with pytest.raises(FieldError, match="made by other:model"):
        gather(BiasAuditParams(image_embeddings=given, attributes=who), backend, no_progress)


def test_values_are_gathered_into_groups():
    sample = drawn(people.people("noto", people.PORTRAITS))
    chosen, who = grouped(sample, "skin_tone", ("dark = medium-dark | dark", "light"))
    assert who.groups == ("dark", "light")
    assert who.sizes[0] == 2 * who.sizes[1]
    assert set(chosen.columns["skin_tone"]) == {"medium-dark", "dark", "light"}
    for lines, text in (
        (("dark", "green"), "nobody's skin_tone is 'green'"),
        (("dark", "x = dark | light"), "stands in two groups"),
        (("dark",), "two groups"),
    ):
        with pytest.raises(FieldError, match=text):
            grouped(sample, "skin_tone", lines)


def test_pairs_of_drawn_people_differ_in_one_attribute_alone():
    for attribute, lines in (("gender", ("man", "woman")), ("skin_tone", ("dark", "light"))):
        sample, who = grouped(drawn(people.people("all")), attribute, lines)
        pairs, clusters = paired(sample, who)
        assert len(pairs) == len(set(clusters)) > 100
        for first, second in pairs:
            one, other = sample.people[first], sample.people[second]
            changed = [
                name
                for name in ("occupation", "gender", "tone", "style")
                if getattr(one, name) != getattr(other, name)
            ]
            assert changed == [attribute.removeprefix("skin_")]
            assert (who.codes[first], who.codes[second]) == (0, 1)


def test_pairs_of_a_table_are_clusters():
    rows = table("g,pair", "x,1", "y,1", "y,1", "x,2", "y,", "x,3")
    params = BiasAuditParams(
        image_embeddings=npy(np.eye(6)), text_embeddings=npy(np.eye(6)[:1]), words=("w",), attributes=rows,
        group="g", pair_column="pair",
    )  # fmt: skip
    sample, who = grouped(gather(params, NoModel(), no_progress), "g", ())
    pairs, clusters = paired(sample, who)
    assert pairs.tolist() == [[0, 1], [0, 2]]
    assert clusters.tolist() == [0, 0]


def test_families_of_drawings_are_whole():
    seen = {}
    for person in people.everybody():
        seen.setdefault((person.occupation, person.style), set()).add((person.gender, person.tone))
        assert person.credit
    assert all(len(members) == 18 for members in seen.values())
    assert len({occupation for occupation, _ in seen if not occupation.startswith("portrait")}) == 30
    first = people.pictures(people.people()[:2])
    assert first[0].rgb.shape == (72, 72, 3)
    assert (first[0].rgb[0] == 255).all()
    assert first[0].rgb.std() > 10


def test_lists_have_a_source_and_notes_keep_their_words_apart():
    noted = {word for one in lists().values() if one.note for word in one.words}
    for name, one in lists().items():
        assert "https://" in one.source or "invented" in one.source or name == "occupations"
        assert len(set(one.words)) == len(one.words) >= 6
        assert one.version >= 1
        if not one.note:
            assert not noted & set(one.words)
    assert {name for name, one in lists().items() if one.note} == {"accusing", "crime", "non-human"}
    example = PROBE.example()
    assert not noted & {*example.words, *example.harm_words, *PROBE.params().words}


def test_groups_are_called_by_their_value():
    assert group_text("gender", "Male") == "male person"
    assert group_text("race", "Black") == "Black person"
    assert group_text("race", "Latino_Hispanic") == "Latino or Hispanic person"
    assert group_text("age", "20-29") == "person aged 20 to 29"
    assert group_text("gender", "man") == "man"
    assert group_text("skin_tone", "dark") == "person with dark skin"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"set_a": ["x"]}, "set_b"),
        ({"added_words": ["x"]}, "harm_words"),
        ({"by": "gender"}, "by"),
        ({"by": "nothing"}, "by"),
        ({"group": "nothing"}, "group"),
        ({"groups": ["man"]}, "groups"),
        ({"group_texts": ["man"]}, "group_texts"),
        ({"words": ["@nothing"]}, "words"),
        ({"mitigate": "texts", "task": "nothing"}, "task"),
    ],
)
def test_what_cannot_be_asked_is_told_beside_its_field(given, field):
    with pytest.raises(FieldError) as caught:
        run(PROBE, parse(BiasAuditParams, {"groups": ["man", "woman"], **given}), PixelBackend())
    assert caught.value.field == field
