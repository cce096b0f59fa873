"""The pure reader: text in, meaning out. No clock, no database, no settings, no network."""

from parsers.codebook import Category, Choice, Codebook, Commitment, FieldSpec, FormSpec, Place
from parsers.compile import compile_codebook, pack_words
from parsers.pack import Pack, load_pack
from parsers.results import Context, FieldValue, Pending, Problem, Question, Reading, ReportReading, Trace

__all__ = [
    "Category",
    "Choice",
    "Codebook",
    "Commitment",
    "Context",
    "FieldSpec",
    "FieldValue",
    "FormSpec",
    "Pack",
    "Pending",
    "Place",
    "Problem",
    "Question",
    "Reading",
    "ReportReading",
    "Trace",
    "compile_codebook",
    "load_pack",
    "pack_words",
]
