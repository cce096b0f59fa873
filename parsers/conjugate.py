"""Surface forms of a Spanish verb as texters use it: enough tenses to read a report, none to write one."""

_AR = "ar an o aron aban ando ado ada ados adas arlo"
_AR_RARE = """a amos aste aba ara aran aria en e arla arlos arlas arle arles arnos arme andolo andola andolos andole
    andoles andonos andome arse aramos asen emos arselo"""
_ER = "{v}r e en io ieron ia iendo ido ida idos idas"
_ER_RARE = """ian era iera ieran a an yo yeron yendo {v}rlo {v}rla {v}rlos {v}rle {v}rles {v}rnos iendolo iendola
    iendolos iendole imos emos o"""


def conjugate(infinitive: str, stems: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(usual forms, rare forms) of a folded infinitive; ``stems`` when it is irregular, else its own stem."""
    usual, rare = (_AR, _AR_RARE) if infinitive.endswith("ar") else (_ER, _ER_RARE)
    vowel = infinitive[-2]
    stems = stems or (infinitive[:-2],)
    return (
        tuple(stem + ending.format(v=vowel) for stem in stems for ending in usual.split()),
        tuple(stem + ending.format(v=vowel) for stem in stems for ending in rare.split()),
    )
