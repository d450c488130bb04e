"""`make costs`: renew the tables of costs in `docs/deploy.md`."""

from infra.costs.document import DOCUMENT, renewed

if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8")), "utf-8")
