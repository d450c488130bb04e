"""The samples' own code: small, and real in its language. Java's is the source: nobody calls these functions."""

PYTHON = '''\
"""Answers with the versions of the packages that were deployed with it."""

import json
from importlib import metadata


def handler(event, context):
    versions = {one.metadata["Name"]: one.version for one in metadata.distributions(path=["."])}
    return {"statusCode": 200, "body": json.dumps(versions, sort_keys=True)}
'''

NODE = """\
import { readFile, readdir } from "node:fs/promises";

// Answers with the versions of the packages that were deployed with it.
export const handler = async () => {
  const versions = {};
  for (const name of await readdir("node_modules")) {
    versions[name] = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8")).version;
  }
  return { statusCode: 200, body: JSON.stringify(versions) };
};
"""

NODE_REDIRECT = """\
// Sends callers of the old address to the new one.
export const handler = async (event) => ({
  statusCode: 301,
  headers: { Location: `https://shop.example.com${event.rawPath ?? "/"}` },
});
"""


def java(package: str, name: str) -> dict[str, str]:
    """A handler class of the Lambda runtime's own interface, as source."""
    source = f"""\
package {package};

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

public class {name} implements RequestHandler<Map<String, String>, String> {{
    @Override
    public String handleRequest(Map<String, String> event, Context context) {{
        context.getLogger().log("order " + event.get("id"));
        return "accepted";
    }}
}}
"""
    return {f"{package.replace('.', '/')}/{name}.java": source}
