"""Write every generated page: `make docs`."""

from local.run_config import PROJECT
from tools.docs import database
from tools.docs.pages import texts

for name, text in {**texts(), database.PAGE: database.write()}.items():
    (PROJECT / name).write_text(text, encoding="utf-8")
    print(f"wrote {name}")
