"""searchkit: semantic search over corpora of answers, offline, exact, with evidence.

Everything public is importable from here, and each name is imported when it is first used, so that
`import searchkit` is instant. Modules below this one may move between versions.
"""

from __future__ import annotations

from searchkit._version import __version__

TYPE_CHECKING = False  # as in typing, whose import takes longer than all of this module
if TYPE_CHECKING:
    from typing import Any

    from searchkit.clustering.clusters import ClusterResult, cluster, draw_map
    from searchkit.clustering.records import Cluster, Member
    from searchkit.core.errors import BadInput, IndexNotFound, SearchkitError
    from searchkit.core.records import Answer, Hit, Passage
    from searchkit.core.results import Results
    from searchkit.core.where import Where
    from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_LANGUAGES
    from searchkit.encoding.encoder import Encoder
    from searchkit.encoding.loading import load_encoder
    from searchkit.evaluation.comparison import Evaluation
    from searchkit.evaluation.evaluate import evaluate_corpus, evaluate_pairs, evaluate_retrieval
    from searchkit.grading.audit import Audit, audit_grades
    from searchkit.grading.evaluate import GradingEvaluation, evaluate_grades
    from searchkit.grading.promise.plan import plan_grading
    from searchkit.grading.promise.records import GradingPlan, PlannedAnswer, Promise
    from searchkit.grading.propagate import propagate
    from searchkit.grading.records import Neighbour, Propagation, Suggestion
    from searchkit.grading.suggest import GradingResult, grade
    from searchkit.index.decisions import decide
    from searchkit.index.folder import Index
    from searchkit.index.incoming.records import Ingested
    from searchkit.index.ingest import ingest
    from searchkit.index.locations import open_index
    from searchkit.index.query import query
    from searchkit.index.records import Added, Decision
    from searchkit.index.upkeep.copying import copy
    from searchkit.index.upkeep.reindex import Reindexed, reindex
    from searchkit.index.upkeep.status import status
    from searchkit.index.upkeep.verify import verify
    from searchkit.mining.pairs import MiningResult, Pair, mine
    from searchkit.output.platforms.formats import MarksFile, marks_file
    from searchkit.output.platforms.marks import MarkOptions
    from searchkit.plagiarism.compare import compare
    from searchkit.plagiarism.find import (
        find_plagiarism,
        find_plagiarism_among,
    )
    from searchkit.plagiarism.overlap import overlaps
    from searchkit.plagiarism.records import (
        Comparison,
        EqualGroup,
        Finding,
        Overlap,
        PlagiarismResult,
        Ring,
        SourceFinding,
        SourceGroup,
    )
    from searchkit.runners.opening import open_runner
    from searchkit.sources.columns import Columns
    from searchkit.sources.known import read_known_sources
    from searchkit.sources.labelled import SentencePair
    from searchkit.sources.reader import read_answers
    from searchkit.text.preparation import prepare
    from searchkit.training.pairs import pairs_from_grades
    from searchkit.training.records import TrainingResult
    from searchkit.training.settings import TrainingSettings
    from searchkit.training.train import train

_MODULES = {
    "Added": "index.records",
    "Answer": "core.records",
    "Audit": "grading.audit",
    "BadInput": "core.errors",
    "Cluster": "clustering.records",
    "ClusterResult": "clustering.clusters",
    "Columns": "sources.columns",
    "Comparison": "plagiarism.records",
    "DEMO_ANSWERS": "demo.corpus",
    "DEMO_LANGUAGES": "demo.corpus",
    "Decision": "index.records",
    "Encoder": "encoding.encoder",
    "EqualGroup": "plagiarism.records",
    "Evaluation": "evaluation.comparison",
    "Finding": "plagiarism.records",
    "GradingEvaluation": "grading.evaluate",
    "GradingPlan": "grading.promise.records",
    "GradingResult": "grading.suggest",
    "Hit": "core.records",
    "Index": "index.folder",
    "IndexNotFound": "core.errors",
    "Ingested": "index.incoming.records",
    "MarkOptions": "output.platforms.marks",
    "MarksFile": "output.platforms.formats",
    "Member": "clustering.records",
    "MiningResult": "mining.pairs",
    "Neighbour": "grading.records",
    "Overlap": "plagiarism.records",
    "Pair": "mining.pairs",
    "Passage": "core.records",
    "PlagiarismResult": "plagiarism.records",
    "PlannedAnswer": "grading.promise.records",
    "Promise": "grading.promise.records",
    "Propagation": "grading.records",
    "Reindexed": "index.upkeep.reindex",
    "Results": "core.results",
    "Ring": "plagiarism.records",
    "SearchkitError": "core.errors",
    "SentencePair": "sources.labelled",
    "SourceFinding": "plagiarism.records",
    "SourceGroup": "plagiarism.records",
    "Suggestion": "grading.records",
    "TrainingResult": "training.records",
    "TrainingSettings": "training.settings",
    "Where": "core.where",
    "audit_grades": "grading.audit",
    "cluster": "clustering.clusters",
    "compare": "plagiarism.compare",
    "copy": "index.upkeep.copying",
    "decide": "index.decisions",
    "draw_map": "clustering.clusters",
    "evaluate_corpus": "evaluation.evaluate",
    "evaluate_grades": "grading.evaluate",
    "evaluate_pairs": "evaluation.evaluate",
    "evaluate_retrieval": "evaluation.evaluate",
    "find_plagiarism": "plagiarism.find",
    "find_plagiarism_among": "plagiarism.find",
    "grade": "grading.suggest",
    "ingest": "index.ingest",
    "load_encoder": "encoding.loading",
    "marks_file": "output.platforms.formats",
    "mine": "mining.pairs",
    "open_index": "index.locations",
    "open_runner": "runners.opening",
    "overlaps": "plagiarism.overlap",
    "pairs_from_grades": "training.pairs",
    "plan_grading": "grading.promise.plan",
    "prepare": "text.preparation",
    "propagate": "grading.propagate",
    "query": "index.query",
    "read_answers": "sources.reader",
    "read_known_sources": "sources.known",
    "reindex": "index.upkeep.reindex",
    "status": "index.upkeep.status",
    "train": "training.train",
    "verify": "index.upkeep.verify",
}

__all__ = [
    "DEMO_ANSWERS",
    "DEMO_LANGUAGES",
    "Added",
    "Answer",
    "Audit",
    "BadInput",
    "Cluster",
    "ClusterResult",
    "Columns",
    "Comparison",
    "Decision",
    "Encoder",
    "EqualGroup",
    "Evaluation",
    "Finding",
    "GradingEvaluation",
    "GradingPlan",
    "GradingResult",
    "Hit",
    "Index",
    "IndexNotFound",
    "Ingested",
    "MarkOptions",
    "MarksFile",
    "Member",
    "MiningResult",
    "Neighbour",
    "Overlap",
    "Pair",
    "Passage",
    "PlagiarismResult",
    "PlannedAnswer",
    "Promise",
    "Propagation",
    "Reindexed",
    "Results",
    "Ring",
    "SearchkitError",
    "SentencePair",
    "SourceFinding",
    "SourceGroup",
    "Suggestion",
    "TrainingResult",
    "TrainingSettings",
    "Where",
    "__version__",
    "audit_grades",
    "cluster",
    "compare",
    "copy",
    "decide",
    "draw_map",
    "evaluate_corpus",
    "evaluate_grades",
    "evaluate_pairs",
    "evaluate_retrieval",
    "find_plagiarism",
    "find_plagiarism_among",
    "grade",
    "ingest",
    "load_encoder",
    "marks_file",
    "mine",
    "open_index",
    "open_runner",
    "overlaps",
    "pairs_from_grades",
    "plan_grading",
    "prepare",
    "propagate",
    "query",
    "read_answers",
    "read_known_sources",
    "reindex",
    "status",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"searchkit.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__]
