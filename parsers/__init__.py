"""The pure reader: text in, meaning out. No clock, no database, no settings, no network."""

from parsers.codebook import Category, Choice, Codebook, Commitment, FieldSpec, FormSpec, Place
from parsers.collisions import Collision, collisions
from parsers.compile import compile_codebook, pack_words
from parsers.export import as_prediction, pending_from_dict, report_dict
from parsers.identity import find_pin, hide_pin, without_pin
from parsers.labels import category_name, choice_label, place_name
from parsers.normalize import fold, fold_text
from parsers.pack import Pack, load_pack
from parsers.parts import split_hand_part
from parsers.reading import read_message
from parsers.results import Context, FieldValue, Pending, Problem, Question, Reading, ReportReading, Trace
from parsers.rows import RowReading, read_rows

__all__ = [
    "Category",
    "Choice",
    "Codebook",
    "Collision",
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
    "RowReading",
    "Trace",
    "as_prediction",
    "category_name",
    "choice_label",
    "collisions",
    "compile_codebook",
    "find_pin",
    "fold",
    "fold_text",
    "hide_pin",
    "load_pack",
    "pack_words",
    "pending_from_dict",
    "place_name",
    "read_message",
    "read_rows",
    "report_dict",
    "split_hand_part",
    "without_pin",
]
