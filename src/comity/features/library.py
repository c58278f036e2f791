"""All built-in features: importing this registers them. A new file of features is one line here."""

from comity.features import account, classifier, links, media, names, text, windows

__all__ = ["account", "classifier", "links", "media", "names", "text", "windows"]
