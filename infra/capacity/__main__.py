"""`make scale`: renew the tables in `docs/scale.md`."""

from infra.capacity.scale import DOCUMENT, renewed

if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8")), "utf-8")
