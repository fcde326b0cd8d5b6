"""The languages that texts are taken for, and their names."""

from __future__ import annotations

UNKNOWN = "und"  # ISO 639: the language can't be told
# Those that texts are taken for, by their codes in ISO 639-1; more would be mixed up in short ones.
NAMES = {
    **{"af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech"},
    **{"da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish"},
    **{"et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew"},
    **{"hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian"},
    **{"ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch"},
    **{"no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian"},
    **{"sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "th": "Thai"},
    **{"tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese"},
}


def language_name(code: str) -> str:
    """Return the English name of a language; the code itself if it has none here."""
    return "not told" if code == UNKNOWN else NAMES.get(code, code)
