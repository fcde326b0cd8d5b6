"""Training on a tiny model: what is learned, kept, resumed, refused, and what others can load."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers.courses import course
from helpers.training import FAST, pairs

from searchkit import Answer, Index
from searchkit.cli.app import main
from searchkit.core.errors import BadInput, MissingExtra
from searchkit.encoding.loading import load_encoder
from searchkit.encoding.models.folder import check_folder
from searchkit.sources.labelled import SentencePair, read_pairs
from searchkit.training.selection import loss_labels, question_groups, split_pairs
from searchkit.training.settings import CARD_RECIPE, LOSSES, TrainingSettings
from searchkit.training.train import check_languages, held_out_score, train

pytestmark = pytest.mark.model


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHKIT_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("loss", LOSSES)
def test_it_learns_what_is_alike_and_others_can_load_it(loss, tiny: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    settings = replace(FAST, loss=loss, epochs=4, learning_rate=3e-3)
    trained = train(
        pairs(each=24), tmp_path / "new", model=str(tiny), settings=settings,
        device="cpu", progress=lambda *at: steps.append(at),
    )  # fmt: skip
    assert trained.score_before is not None
    assert max(score for _, score in trained.scores) > trained.score_before + 0.1
    assert dict(trained.scores)[trained.best_step] == max(score for _, score in trained.scores)
    assert steps[-1] == (trained.steps, trained.steps) and len(steps) == trained.steps
    assert not {p.question for p in trained.training_pairs} & {p.question for p in trained.held_out}
    assert 0.15 < len(trained.held_out) / 288 < 0.4
    assert not list(tmp_path.glob("*.training"))
    # What searchkit makes of it, and what plain sentence-transformers does, is the same.
    from sentence_transformers import SentenceTransformer

    texts = [pair.sentence_0 for pair in trained.held_out]
    ours = load_encoder(str(trained.path), device="cpu").encode(texts)
    model = SentenceTransformer(str(trained.path), device="cpu")
    theirs = model.encode(texts, normalize_embeddings=True)
    assert np.abs((ours * theirs).sum(axis=1) - 1).max() < 1e-4
    left, right = (
        model.encode([getattr(p, side) for p in trained.held_out], normalize_embeddings=True)
        for side in ("sentence_0", "sentence_1")
    )
    labels = [p.label for p in trained.held_out]
    kept = dict(trained.scores)[trained.best_step]
    assert held_out_score(left, right, labels) == pytest.approx(kept, abs=0.02)


def test_the_card_says_what_was_done_and_holds_no_text(tiny: Path, tmp_path: Path) -> None:
    trained = train(pairs(), tmp_path / "new", model=str(tiny), settings=FAST, device="cpu")
    card = (trained.path / "README.md").read_text("utf-8")
    for words in ("JointLoss (CoSENTLoss", "library_name: sentence-transformers",
                  "| learned from |", "| 0 (before) |", "(kept)", "learning rate", "torch 2",
                  "Licence"):  # fmt: skip
        assert words in card, words
    assert all(pair.sentence_0 not in card for pair in pairs())
    assert not [file.name for file in trained.path.rglob("*") if file.suffix in (".bin", ".pt")]
    assert check_folder(trained.path).fingerprint != check_folder(tiny).fingerprint


def test_the_same_seed_gives_the_same_model(tiny: Path, tmp_path: Path) -> None:
    prints = [
        check_folder(
            train(pairs(), tmp_path / name, model=str(tiny), settings=settings, device="cpu").path
        ).fingerprint
        for name, settings in (("a", FAST), ("b", FAST), ("c", replace(FAST, seed=2)))
    ]
    assert prints[0] == prints[1] != prints[2]


def test_a_prepared_model_is_applied_prepared(tiny: Path, tmp_path: Path) -> None:
    settings = replace(FAST, prepare="keywords")
    trained = train(pairs(), tmp_path / "new", model=str(tiny), settings=settings, device="cpu")
    assert json.loads((trained.path / "searchkit.json").read_text()) == {"prepare": "keywords"}
    encoder = load_encoder(str(trained.path), device="cpu")
    one, other = encoder.encode(["The red cats were running!", "red cat run"])
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert (encoder.encode_queries(["The red cats were running!"])[0] @ one) > 0.9999
    again = load_encoder(None, fingerprint=encoder.fingerprint, device="cpu")  # from the cache
    np.testing.assert_array_equal(again.encode(["The red cats were running!"])[0], one)


def test_a_preparation_for_english_says_so_of_other_languages(
    caplog: pytest.LogCaptureFixture,
) -> None:
    german = "Die Ereignisschleife führt einen Callback aus, sobald der Stapel leer ist"
    english = "The event loop runs a callback as soon as the stack is empty"
    some = [SentencePair(f"{german} {n}", f"{english} {n}", 1.0) for n in range(3)]
    check_languages(some)
    assert "made for English: in 3 of 6 texts (German) function words" in caplog.text
    caplog.clear()
    check_languages([replace(pair, sentence_0="ok") for pair in some])
    assert caplog.text == ""


def test_the_published_recipe_takes_every_pair_for_a_positive(tiny: Path, tmp_path: Path) -> None:
    settings = replace(CARD_RECIPE, batch_size=8, learning_rate=2e-3, held_out=0.25)
    trained = train(pairs(), tmp_path / "card", model=str(tiny), settings=settings, device="cpu")
    assert {pair.label for pair in trained.training_pairs} == {0.0, 10.0}
    mnrl = replace(FAST, loss="mnrl")
    trained = train(pairs(), tmp_path / "mnrl", model=str(tiny), settings=mnrl, device="cpu")
    assert {pair.label for pair in trained.training_pairs} == {10.0}


def test_without_questions_what_shares_a_text_stays_together(tiny: Path, tmp_path: Path) -> None:
    loose = [replace(pair, question=None) for pair in pairs()]
    trained = train(loose, tmp_path / "new", model=str(tiny), settings=FAST, device="cpu")
    texts = [{t for p in some for t in (p.sentence_0, p.sentence_1)}
             for some in (trained.training_pairs, trained.held_out)]  # fmt: skip
    assert trained.held_out and not texts[0] & texts[1]


def test_nothing_held_out_is_said(tiny: Path, tmp_path: Path) -> None:
    settings = replace(FAST, held_out=0)
    trained = train(pairs(), tmp_path / "new", model=str(tiny), settings=settings, device="cpu")
    assert (trained.score_before, trained.scores, trained.best_step) == (None, [], trained.steps)
    assert "Nothing was held out" in (trained.path / "README.md").read_text("utf-8")


def breaking(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the loss be no number from a step on."""
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss

    whole, seen = CoSENTLoss.forward, []

    def forward(self, *arguments, **more):
        seen.append(1)
        loss = whole(self, *arguments, **more)
        return loss * float("nan") if len(seen) >= step else loss

    monkeypatch.setattr(CoSENTLoss, "forward", forward)


def test_a_loss_that_is_no_number_from_the_start(tiny: Path, tmp_path: Path, monkeypatch) -> None:
    breaking(monkeypatch, 2)
    with pytest.raises(BadInput, match="no number any more at step 2, before the first checkpoint"):
        train(pairs(), tmp_path / "new", model=str(tiny), settings=FAST, device="cpu")
    assert not (tmp_path / "new").exists()
    monkeypatch.undo()
    lower = replace(FAST, learning_rate=1e-3, epochs=1)  # as the message advises
    assert train(pairs(), tmp_path / "new", model=str(tiny), settings=lower, device="cpu").scores


def test_a_loss_that_is_no_number_later_keeps_the_best(
    tiny: Path, tmp_path: Path, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    breaking(monkeypatch, 20)
    trained = train(pairs(), tmp_path / "new", model=str(tiny), settings=FAST, device="cpu")
    assert "the loss is no number any more at step 20; the best checkpoint before" in caplog.text
    assert trained.best_step < 20
    assert np.isfinite(load_encoder(str(trained.path), device="cpu").encode(["red"])).all()


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    return result


def test_from_a_file_to_a_query_with_the_new_model(tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["question", "sentence_0", "sentence_1", "label"])
        writer.writeheader()
        writer.writerows(asdict(pair) for pair in pairs())
    new, held = tmp_path / "new", tmp_path / "held.csv"
    options = ("--epochs", 2, "--batch-size", 8, "--learning-rate", 2e-3, "--seed", 1)
    trained = run("train", file, "-o", new, "--model", tiny, *options, "--save-held-out", held)
    assert "held out: " in trained.stderr and "Spearman" in trained.stdout
    again = run("evaluate", "--pairs", held, "--model", tiny, "--model", new, "-f", "json")
    assert json.loads(again.stdout)["models"] == [str(tiny), str(new)]
    # An index of the old model becomes one of the new, and is searched with it.
    with Index.create(tmp_path / "i", load_encoder(str(tiny), device="cpu")) as index:
        index.add([Answer(f"a{n}", pair.sentence_0) for n, pair in enumerate(pairs()[:20])])
    run("reindex", "-i", tmp_path / "i", "--model", new)
    (found,) = json.loads(run("query", "red", "-i", tmp_path / "i", "-f", "json").stdout)
    assert found["hits"]
    with Index.open(tmp_path / "i") as index:
        assert index.store.model().fingerprint == check_folder(new).fingerprint
    assert "is there already" in run("train", file, "-o", new, *options, code=1).stderr


def test_a_sheet_in_another_language_and_a_file_for_the_held_out_pairs(tmp_path: Path) -> None:
    file = tmp_path / "paare.csv"
    rows = "Sentence 0;sentence 1;Label\nMäuse fressen Käse;Schnee;2,5\n"
    file.write_bytes(rows.encode("cp850"))
    options = ("-o", tmp_path / "new", "--encoding", "cp850")
    wrong = run("train", file, *options, "--save-held-out", tmp_path / "no" / "x.csv", code=1)
    assert wrong.stderr == (
        f"searchkit: {tmp_path / 'no' / 'x.csv'}: can't be written ({tmp_path / 'no'}: "
        "no such folder)\n"
    )
    inside = run("train", file, *options, "--save-held-out", tmp_path / "new" / "x.csv", code=1)
    assert "all pairs are of one question" in inside.stderr
    (pair,) = read_pairs([file], encoding="cp850")
    assert pair == SentencePair("Mäuse fressen Käse", "Schnee", 2.5)


def test_from_graded_answers_of_an_index(tiny: Path, tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", load_encoder(str(tiny), device="cpu")) as index:
        index.add(course())
    made = ("-i", tmp_path / "i", "--from-index")
    fast = ("--model", tiny, "--epochs", 1, "-f", "json", "--held-out", 0.3)
    result = run("train", *made, "graded", "--column", "score", "-o", tmp_path / "m", *fast)
    assert json.loads(result.stdout)["measured"].endswith("pairs")
    result = run("train", *made, "clusters", "-o", tmp_path / "c", *fast, "--batch-size", 4)
    assert (tmp_path / "c" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give exactly one of PAIRS or --from-index"),
        (("x.csv", "--from-index", "clusters"), "give exactly one of PAIRS or --from-index"),
        (("--from-index", "graded"), "--from-index graded and --column go together"),
        (("x.csv", "--column", "score"), "--from-index graded and --column go together"),
        (("--from-index", "clusters", "--sheet", "A"), "--sheet goes with PAIRS"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    assert message in run("train", "-o", tmp_path / "m", *arguments, code=2).stderr


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"training needs datasets; run: pip install 'searchkit"):
        train(pairs(), tmp_path / "new", settings=FAST)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "`epochs` must be 1 or more, not 0"),
        ({"batch_size": 1}, "`batch_size` must be 2 or more, not 1"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be above 0 and below 1, not nan"),
        ({"held_out": 1.0}, "`held_out` must be from 0 to below 1, not 1"),
        ({"positive_from": 11.0}, "`positive_from` must be a label, from 0 to 10, not 11"),
        ({"prepare": "stems"}, "`prepare` must be one of keywords, not 'stems'"),
        ({"loss": "triplet"}, "`loss` must be one of joint, cosent"),
        ({"batch_size": 500}, "pairs to learn from are fewer than a batch of 500; add some"),
        ({"loss": "mnrl", "batch_size": 100}, "pairs with a label from 6 to learn from are fewer"),
        ({"positive_from": 0.0, "loss": "online-contrastive"}, "learns from differences, and all"),
        ({"max_label": float("nan")}, "`max_label` must be a number above 0, not nan"),
        ({"max_label": 5.0}, r"pair 1: the label 10 is not between 0 and 5 \(`max_label`\)"),
        ({"seed": -1}, "`seed` must be from 0 to 4294967295, not -1"),
        ({"seed": 1 << 32}, "`seed` must be from 0 to 4294967295, not 4294967296"),
    ],
)
def test_settings_out_of_range(change, message: str, tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=message):
        train(pairs(), tmp_path / "new", model=str(tiny), settings=replace(FAST, **change))
    assert not list(tmp_path.glob("new*"))


@pytest.mark.parametrize("loss", ["joint", "mnrl", "online-contrastive"])
def test_labels_of_a_shorter_scale_ask_for_its_end(loss, tiny: Path, tmp_path: Path) -> None:
    settings = replace(FAST, loss=loss)
    half = [replace(pair, label=pair.label / 2) for pair in pairs()]
    message = "highest label to learn from is 5, and a positive has 6 or more; say `max_label=5` if"
    with pytest.raises(BadInput, match=message):
        train(half, tmp_path / "new", model=str(tiny), settings=settings)
    none = [replace(pair, label=0.0) for pair in pairs()]
    with pytest.raises(BadInput, match="all labels to learn from are 0: nothing is alike; add pai"):
        train(none, tmp_path / "new", model=str(tiny), settings=settings)
    assert split_pairs(half, replace(settings, max_label=5.0))[0]
    assert split_pairs(half, replace(settings, loss="cosent"))[0]


def test_what_is_cut_off_is_said(tiny: Path, tmp_path: Path, caplog) -> None:
    with caplog.at_level("INFO", logger="searchkit"):
        short = replace(FAST, max_tokens=8, epochs=1)
        long = [replace(pair, sentence_0=pair.sentence_0 * 2) for pair in pairs()]
        trained = train(long, tmp_path / "new", model=str(tiny), settings=short, device="cpu")
    count = len(trained.training_pairs)
    assert f"{count} of {2 * count} texts are longer than 8 tokens; training" in caplog.text
    assert f"| {count} |" in (trained.path / "README.md").read_text("utf-8")


def test_one_question_only(tiny: Path, tmp_path: Path) -> None:
    one = [replace(pair, question="q") for pair in pairs()]
    with pytest.raises(BadInput, match="all pairs are of one question, or share texts, so that"):
        train(one, tmp_path / "new", model=str(tiny), settings=FAST)


def test_a_folder_that_is_there_is_kept_unless_told(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="new: is there already; name another folder, or say `over"):
        train(pairs(), tmp_path / "new", model=str(tiny), settings=FAST)
    assert (tmp_path / "new" / "thesis.txt").read_text() == "mine"
    train(pairs(), tmp_path / "new", model=str(tiny), settings=FAST, overwrite=True, device="cpu")
    assert check_folder(tmp_path / "new").prepare == ""


def joint_by_hand(left, right, degrees, questions, positive, scale: float = 20.0) -> float:
    """Give the joint loss as its definition says, pair by pair."""
    left, right = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (left, right))
    cosines = left @ right.T
    own, rows = np.diag(cosines), range(len(degrees))
    order = [scale * (own[j] - own[i]) for i in rows for j in rows if degrees[i] > degrees[j]]
    topic = []
    for i in rows:
        others = [j for j in rows if j == i or questions[j] != questions[i]]
        if positive[i]:
            topic.append(np.log(np.exp(scale * cosines[i, others]).sum()) - scale * own[i])
    return float(np.log1p(np.exp(order).sum()) + (np.mean(topic) if topic else 0.0))


def joint(left, right, degrees, questions, positive) -> float:
    import torch

    from searchkit.training.trainer import JointLoss

    labels = torch.tensor(list(zip(degrees, questions, positive, strict=True)))
    embeddings = [torch.tensor(left), torch.tensor(right)]
    return float(JointLoss(None).compute_loss_from_embeddings(embeddings, labels))


@pytest.mark.parametrize("positive", [[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]])
def test_the_joint_loss_is_what_its_definition_says(positive: list[int]) -> None:
    import torch

    left, right = np.random.default_rng(0).normal(size=(2, 5, 3)) * 3  # not of unit length
    known = [1.0, 0.0, 0.4, 0.4, 0.7], [0.0, 0.0, 1.0, 2.0, 0.0], positive
    by_hand = joint_by_hand(left, right, *known)
    assert joint(left, right, *known) == pytest.approx(by_hand, rel=1e-5)
    with torch.autocast("cpu", torch.bfloat16):  # as in training; the cosines are not rounded
        assert joint(left, right, *known) == pytest.approx(by_hand, rel=1e-5)


def test_an_answer_to_the_same_question_is_no_negative() -> None:
    same = [[1.0, 0.0, 0.0]] * 2
    assert joint(same, same, [0.5, 0.5], [3.0, 3.0], [1, 1]) == 0
    assert joint(same, same, [0.5, 0.5], [3.0, 4.0], [1, 1]) == pytest.approx(np.log(2))


def test_the_joint_loss_is_told_degrees_questions_and_positives() -> None:
    some = [
        SentencePair("a", "b", 0.0, "q"),
        SentencePair("c", "d", 6.0),
        SentencePair("e", "f", 10.0, "q"),
        SentencePair("g", "d", 5.0),
    ]
    groups = question_groups(some)
    found = loss_labels(some, groups, TrainingSettings(loss="joint"))
    assert found == [[0.0, 0.0, 0.0], [0.6, 1.0, 1.0], [1.0, 0.0, 1.0], [0.5, 1.0, 0.0]]
    assert loss_labels(some, groups, TrainingSettings(loss="cosent")) == [0.0, 0.6, 1.0, 0.5]


def test_the_score_of_pairs() -> None:
    left = np.eye(3, dtype=np.float32)
    assert held_out_score(left, left[[0, 1, 1]], [3, 2, 0]) > 0.8
    assert held_out_score(left, left, [1, 1, 1]) == 1
    assert held_out_score(left, left[[1, 2, 0]], [1, 1, 1]) == pytest.approx(1 / 3)
    assert held_out_score(left, left, [1, 2, 3]) == 0  # no correlation where nothing differs
