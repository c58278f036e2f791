"""What the pages about the API and its webhooks say."""

from typing import Final

EN: Final = {
    "api lead": "What programs can ask and do. It is made of the same table as the pages: nothing is left out.",
    "api file": "The same as a file (OpenAPI 3.1)",
}
DE: Final = {
    "api lead": "Was Programme fragen und tun können. Es entsteht aus derselben Tabelle wie die Seiten: Nichts fehlt.",
    "api file": "Dasselbe als Datei (OpenAPI 3.1)",
}
