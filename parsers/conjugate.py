"""Surface forms of a Spanish verb as texters use it: enough tenses to read a report, none to write one."""

_AR = "ar a an amos o aron aste aba aban ando ado ada ados adas ara aran aria en e arlo arla arlos arlas arle arles"
_AR_RARE = "arnos arme andolo andola andolos andole andoles andonos andome arse aramos asen emos arselo"
_ER = "{v}r e en io ieron ia ian iendo ido ida idos idas era iera ieran a an"
_ER_RARE = "yo yeron yendo {v}rlo {v}rla {v}rlos {v}rle {v}rles {v}rnos iendolo iendola iendolos iendole imos emos o"


def conjugate(infinitive: str, stems: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(usual forms, rare forms) of a folded infinitive; ``stems`` when it is irregular, else its own stem."""
    usual, rare = (_AR, _AR_RARE) if infinitive.endswith("ar") else (_ER, _ER_RARE)
    vowel = infinitive[-2]
    stems = stems or (infinitive[:-2],)
    return (
        tuple(stem + ending.format(v=vowel) for stem in stems for ending in usual.split()),
        tuple(stem + ending.format(v=vowel) for stem in stems for ending in rare.split()),
    )
