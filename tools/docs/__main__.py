"""Write every generated page: `make docs`."""

from local.run_config import PROJECT
from tools.docs.pages import PAGES

for name, page in PAGES.items():
    (PROJECT / name).write_text(page(), encoding="utf-8")
    print(f"wrote {name}")
