"""JSON as it is kept: without spaces, letters as they are. One encoder, because making one costs more than using it."""

import json

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
