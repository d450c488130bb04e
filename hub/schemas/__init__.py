"""Published JSON Schemas (draft 2020-12) of what is stored; `docs/storage.md` says how they change."""
