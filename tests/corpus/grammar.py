"""Texts drawn from a grammar over every municipality, alias and category: python -m tests.corpus.grammar SEED COUNT.

What a text says is known because it was made from it, so that what stays wrong when names, orders, separators, days and
slips meet can be counted. Prints the share read exactly and the first misses.
"""

import json
import random
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from parsers import Codebook, compile_codebook, load_pack
from tests.corpus import runner, score
from tests.corpus.summary import summary

HERE = Path(__file__).parent


def listed(words: str) -> list[str]:
    return words.split("|")


ZONE = timezone(timedelta(hours=-6))
SAID: dict[str, str] = {
    "ROB": "robo|asalto|atraco", "HOM": "homicidio|asesinato|mataron a un señor", "LIN": "linchamiento",
    "ALN": "turba|quieren linchar a un ladron|amenaza de linchamiento", "DES": "desaparecido|desaparicion",
    "SEC": "secuestro|plagio", "BAL": "balacera|tiroteo|ataque armado", "LES": "pelea|golpes|lesiones|golpiza",
    "SEX": "violacion|abuso sexual", "VIF": "violencia intrafamiliar|violencia en casa", "AME": "amenazas|intimidacion",
    "EXT": "extorsion|renta|cobran impuesto", "ABI": "abigeato|robo de ganado", "DAN": "quemaron una casa",
    "MRA": "maras|pandilleros", "NAR": "narcos|narcotrafico", "GAR": "hombres armados|encapuchados",
    "TIE": "conflicto de tierra|linderos", "DSJ": "desalojo", "LIM": "conflicto de limites|pleito entre aldeas",
    "RNA": "mineria|hidroelectrica|conflicto por agua", "BLO": "bloqueo|manifestacion|taparon la carretera",
    "DIS": "disturbios|motin", "ELE": "compra de votos|acarreo", "DSP": "desplazados|huyeron familias",
    "RAC": "discriminacion|racismo", "POL": "abuso policial", "EJE": "soldados|ejercito", "DET": "captura ilegal",
    "TOR": "tortura", "MOR": "mordida|corrupcion|soborno", "JUS": "no reciben denuncia|impunidad",
    "INV": "no investigan|no llego el mp", "EXH": "exhumacion|osamentas", "EXP": "granada|artefacto explosivo",
    "MED": "mediacion|se llego a acuerdo", "DEF": "ataque a lider", "NIN": "maltrato infantil", "FEM": "femicidio",
}  # fmt: skip
GREETINGS = listed(
    "||||Buenos dias, |Buenas tardes. |hola |que tal, |Dios le bendiga, |disculpe la molestia, |estimado equipo: |"
    "Un gusto saludarle. |Con mucho respeto, |Espero se encuentren bien. |Hermanos, |Fijese que |K tal. "
)
TAILS = listed("||| gracias| cerca de la escuela| camino al pueblo| saludos| a la orilla del rio| en el parque")
KEYWORDS = listed("inc|INC|reporte|REPORTE|rep|aviso|caso|incidente")
WEEKDAYS = listed("lunes|martes|miercoles|jueves|viernes|sabado|domingo")
MONTHS = listed("enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre")
HURT, DEAD, FAMILIES = ("injured", "heridos"), ("dead", "muertos"), ("families", "familias")
COUNTED = {"LES": HURT, "BAL": HURT, "HOM": DEAD, "DSJ": FAMILIES, "TIE": FAMILIES, "DSP": FAMILIES}
UNSAID = {"missing": [1, None], "people": [1, None], "dead": [1, None], "detained": [1, None], "injured": [1, None]}
STATUSES = {"si": "si|se cumple|ya", "no": "no|NO|no se cumple|nada", "parcial": "medio|a medias|poco",
            "retroceso": "peor|va peor", "nosabe": "no se|no sabemos"}  # fmt: skip
TOPICS = {"tierra": "tierra|terrenos", "salud": "salud|medicinas", "escuela": "escuela|maestros", "agua": "agua",
          "camino": "camino|carretera", "vivienda": "vivienda|casas", "docs": "documentos|papeles",
          "organ": "comite|cooperativa", "segur": "seguridad", "proyecto": "proyectos"}  # fmt: skip
HOW = {"bien": "bien|buena", "regular": "regular|mas o menos", "mal": "mal|mala|pesimo"}


class Draw(NamedTuple):
    rng: random.Random
    book: Codebook
    names: dict[str, set[str]]
    today: date
    home: str

    def one(self, words: str) -> str:
        return self.rng.choice(words.split("|"))

    def pair(self, table: dict[str, str]) -> tuple[str, str]:
        value = self.rng.choice(sorted(table))
        return value, self.one(table[value])


def bare(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def place(draw: Draw) -> tuple[str, str]:
    """A municipality's code, and a way to name it that names nothing else."""
    while True:
        found = draw.book.places[draw.rng.choice([code for code in draw.book.places if len(code) == 4])]
        name = draw.rng.choice([found.code, found.name, bare(found.name), *found.aliases])
        if name == found.code or draw.names[bare(name).lower()] == {found.code}:
            return found.code, name


def slip(draw: Draw, text: str) -> str:
    """Now and then a word of six letters or more with one left out, doubled, changed, or swapped with the next."""
    words = text.split()
    long = [at for at, word in enumerate(words) if len(word) > 5]
    if not long or draw.rng.random() > 0.3:
        return text
    at = draw.rng.choice(long)
    word, cut = words[at], draw.rng.randrange(1, len(words[at]) - 1)
    letter, following, rest = word[cut], word[cut + 1], word[cut + 2 :]
    changed = (following, letter * 2 + following, draw.rng.choice("aeioulrsn") + following, following + letter)
    words[at] = word[:cut] + draw.rng.choice(changed) + rest
    return " ".join(words)


def day(draw: Draw) -> tuple[str, date]:
    rng, today = draw.rng, draw.today
    ago, back, then = rng.randrange(2, 7), rng.randrange(7), today - timedelta(rng.randrange(1, 60))
    last = today - timedelta((today.weekday() - back) % 7 or 7)
    return rng.choice([
        ("", today), ("hoy", today), (draw.one("ayer|anoche|el dia de ayer"), today - timedelta(1)),
        (draw.one("antier|anteayer"), today - timedelta(2)), (f"hace {ago} dias", today - timedelta(ago)),
        (draw.one("el X|X|el X pasado|el pasado X").replace("X", WEEKDAYS[back]), last),
        (f"{then.day}/{then.month}", then), (f"{then:%d-%m-%Y}", then), (f"{then:%Y%m%d}", then),
        (f"{then.day} de {MONTHS[then.month - 1]}", then), (f"el {then.day} de {MONTHS[then.month - 1]}", then),
    ])  # fmt: skip


def incident(draw: Draw) -> tuple[str, dict[str, Any]]:
    rng = draw.rng
    code, said = draw.pair(SAID)
    what = rng.choice((code, slip(draw, said), slip(draw, said)))
    where, name = place(draw)
    when, then = day(draw)
    counts: dict[str, int] = {}
    counted = ""
    if code in COUNTED and rng.random() < 0.5:
        counts[COUNTED[code][0]] = rng.randrange(2, 40)
        counted = f"{counts[COUNTED[code][0]]} {COUNTED[code][1]}"
    key, name = rng.choice(KEYWORDS), slip(draw, name)
    cry = rng.random() < 0.05
    key = draw.one("URGENTE|ALERTA|SOS") if cry else key
    orders = [
        (key, what, name, when, counted),
        (key, name, what, when, counted),
        (key, when, what, f"en {name}", counted),
        (key, what, f"en {name}", when, counted),
    ]
    parts = [part for part in rng.choice(orders) if part]
    text = rng.choice((" ", " ", " ", ",", "*", " / ")).join(parts)
    recent = draw.book.categories[code].urgent == "if_recent" and (draw.today - then).days <= 1
    report = {"form": "incident", "category": code, "place": where, "date": then.isoformat(), "counts": counts}
    return text, report | {"urgent": cry or recent} | ({} if counts else {"counts_any": UNSAID})


def commitment(draw: Draw) -> tuple[str, dict[str, Any]]:
    number = draw.rng.randrange(1, 69)
    status, said = draw.pair(STATUSES)
    where, name = place(draw)
    written = draw.rng.choice((f"{number}", f"C{number:02d}", f"c{number:02d}"))
    text = (
        f"{draw.one('AC|ac|acuerdo|compromiso|Acuerdo no.|acuerdo numero')} {written} {said} {draw.one('|en ')}{name}"
    )
    return text, {"form": "commitment", "commitment": f"C{number:02d}", "status": status, "place": where}


def returned(draw: Draw) -> tuple[str, dict[str, Any]]:
    topic, about = draw.pair(TOPICS)
    status, said = draw.pair(HOW)
    where, name = place(draw)
    families = draw.rng.randrange(2, 70)
    text = f"{draw.one('RET|ret|retorno')} {about} {said} {draw.one('|en ')}{name} {families} familias"
    return text, {"form": "return", "topic": topic, "status": status, "place": where, "counts": {"families": families}}


def poll(draw: Draw) -> tuple[str, dict[str, Any]]:
    code, said = draw.pair(
        {"ROB": "robo|me robaron", "EXT": "extorsion", "AME": "amenazas", "VIF": "violencia en casa"}
    )
    reason, why = draw.pair({"miedo": "miedo|por miedo", "lejos": "queda lejos", "nosirve": "no hacen nada"})
    told = {"form": "poll", "victim": True, "category": code, "reported": False, "reason": reason, "place": draw.home}
    return f"{draw.one('ENC|enc|encuesta')} si {said} no {why}", told


def meeting(draw: Draw) -> tuple[str, dict[str, Any]]:
    people = draw.rng.randrange(12, 90)
    women, topic = draw.rng.randrange(3, people), draw.one("agua|tierra|basura|salud")
    where, name = place(draw)
    when, then = day(draw)
    text = f"{draw.one('MESA|mesa|reunion|asamblea')} en {name} {when} {people} personas {women} mujeres tema {topic}"
    counts = {"people": people, "women": women}
    told = {"form": "meeting", "place": where, "date": then.isoformat(), "counts": counts, "topic_has": [topic]}
    return text, told


def correction(draw: Draw) -> tuple[str, dict[str, Any]]:
    ref = draw.rng.randrange(3000, 9999)
    where, name = place(draw)
    number = draw.rng.randrange(40)
    field, said, value = draw.rng.choice([
        ("dead", f"muertos {number}", number), ("injured", f"heridos: {number}", number),
        ("place", f"lugar {name}", where), ("families", f"familias {number}", number),
    ])  # fmt: skip
    text = f"{draw.one('CORREGIR|corregir|corr|cambiar')} {draw.one('|R|r')}{ref} {said}"
    return text, {"form": "correction", "ref": str(ref), "field": field, "value": value}


FORMS: tuple[Callable[[Draw], tuple[str, dict[str, Any]]], ...] = (
    incident, incident, incident, incident, commitment, returned, poll, meeting, correction
)  # fmt: skip


def lines(book: Codebook, people: dict[str, dict[str, str]], seed: int, count: int) -> list[dict[str, Any]]:
    """``count`` texts in the shape of the labelled ones; the same seed gives the same."""
    rng = random.Random(seed)
    names: dict[str, set[str]] = defaultdict(set)
    for each in book.places.values():
        for name in (each.name, *each.aliases):
            names[bare(name).lower()].add(each.code)
    senders = sorted(key for key, who in people.items() if key.startswith("+") and who["place"])
    return [_line(book, people, names, rng, rng.choice(senders), number) for number in range(count)]


def _line(
    book: Codebook,
    people: dict[str, dict[str, str]],
    names: dict[str, set[str]],
    rng: random.Random,
    sender: str,
    number: int,
) -> dict[str, Any]:
    heard = datetime(2026, rng.randrange(2, 6), rng.randrange(1, 28), rng.randrange(6, 21), tzinfo=ZONE)
    text, report = rng.choice(FORMS)(Draw(rng, book, names, heard.date(), people[sender]["place"]))
    text = rng.choice(GREETINGS) + text + (rng.choice(TAILS) if report["form"] == "incident" else "")
    text = rng.choice((text, text, text.upper(), bare(text).lower()))
    expect = {"outcome": "accept", "ask": None, "reason": None, "reports": [report]}
    line = {
        "id": f"X{number}",
        "from": sender,
        "received_at": heard.isoformat(),
        "text": text,
        "tags": [report["form"]],
    }
    return line | {"expect": expect}


if __name__ == "__main__":
    BOOK, PEOPLE = compile_codebook(load_pack()), runner.contacts(HERE / "contacts.csv")
    DRAWN = lines(BOOK, PEOPLE, int(sys.argv[1]), int(sys.argv[2]))
    READ = runner.predict(DRAWN, BOOK, PEOPLE)
    missed = [
        drawn["text"] for drawn, read in zip(DRAWN, READ, strict=True) if not score.score(drawn["expect"], read)[1]
    ]
    sys.stdout.write(json.dumps(summary(DRAWN, READ) | {"missed": missed[:20]}, ensure_ascii=False, indent=1) + "\n")
