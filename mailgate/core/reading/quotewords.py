"""The words with which mail programs introduce what they quote, by language.

Data only. Keys are ISO 639-1 codes. Words are compared without case and accents (see `folded`).
A new language needs a line in each table and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

# "wrote", at the end of an attribution or before its date.
WROTE: Mapping[str, tuple[str, ...]] = {
    "es": ("escribió", "escribiste", "ha escrito", "escribe", "citando a", "mensaje citado por"),
    "en": ("wrote", "writes", "quoting"),
    "ca": ("va escriure", "ha escrit"),
    "gl": ("escribiu",),
    "eu": ("idatzi du", "igorleak idatzi zuen"),
    "pt": ("escreveu",),
    "fr": ("a écrit", "a ecrit"),
    "it": ("ha scritto", "scrive", "scrisse"),
    "de": ("schrieb", "hat geschrieben"),
    "nl": ("schreef", "het volgende geschreven"),
    "da": ("skrev", "skrev følgende"),
    "pl": ("napisał", "napisała", "napisał(a)", "napisano", "napisana przez"),
    "cs": ("napsal", "napsala", "napsal(a)", "napísal", "napísal(a)"),
    "hu": ("írta", "ezt írta"),
    "ro": ("a scris",),
    "fi": ("kirjoitti",),
    "ru": ("написал", "написала", "написал(а)", "пишет", "писал"),
    "uk": ("написав", "пише"),
    "bg": ("написа",),
    "el": ("έγραψε",),
    "tr": ("yazdı", "şunu yazdı", "şunları yazdı"),
    "ar": ("كتب", "كتبت", "كتب/كتبت"),
    "he": ("כתב", "כתבה", "מאת"),
    "zh": ("写道", "寫道"),
    "ja": ("のメール", "書きました"),
    "ko": ("작성",),
    "vi": ("đã viết",),
}

# The fields of the block that Outlook and its relatives put above what they quote.
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "es": {
        "from": ("de", "remitente"),
        "date": ("enviado el", "enviado", "enviados", "fecha", "fecha de envío"),
        "to": ("para", "destinatario"),
        "subject": ("asunto",),
        "other": ("cc", "cco", "importancia", "responder a", "datos adjuntos", "archivos adjuntos"),
    },
    "en": {
        "from": ("from",),
        "date": ("sent", "date", "sent on"),
        "to": ("to",),
        "subject": ("subject",),
        "other": ("cc", "bcc", "importance", "reply-to", "attachments", "priority", "organization"),
    },
    "ca": {
        "from": ("de",),
        "date": ("enviat", "data"),
        "to": ("per a", "a"),
        "subject": ("assumpte", "tema"),
    },
    "gl": {"from": ("de",), "date": ("enviado", "data"), "to": ("para",), "subject": ("asunto",)},
    "eu": {"from": ("nork",), "date": ("bidalia", "data"), "to": ("nori",), "subject": ("gaia",)},
    "pt": {
        "from": ("de",),
        "date": ("enviado", "enviada", "enviado em", "enviada em", "data"),
        "to": ("para",),
        "subject": ("assunto",),
    },
    "fr": {
        "from": ("de", "expéditeur"),
        "date": ("envoyé", "envoyé le", "date", "message du"),
        "to": ("à", "destinataire"),
        "subject": ("objet", "sujet"),
        "other": ("cc", "copie à", "importance", "pièces jointes"),
    },
    "it": {
        "from": ("da",),
        "date": ("inviato", "data"),
        "to": ("a", "per"),
        "subject": ("oggetto",),
        "other": ("cc", "priorità"),
    },
    "de": {
        "from": ("von",),
        "date": ("gesendet", "datum", "gesendet am"),
        "to": ("an",),
        "subject": ("betreff",),
        "other": ("cc", "kopie", "priorität", "wichtigkeit"),
    },
    "nl": {"from": ("van",), "date": ("verzonden", "datum"), "to": ("aan",), "subject": ("onderwerp",)},
    "da": {
        "from": ("fra", "från"),
        "date": ("sendt", "dato", "skickat", "datum"),
        "to": ("til", "till"),
        "subject": ("emne", "ämne"),
        "other": ("cc", "kopi", "kopia"),
    },
    "fi": {
        "from": ("lähettäjä",),
        "date": ("lähetetty", "päivämäärä"),
        "to": ("vastaanottaja",),
        "subject": ("aihe",),
    },
    "pl": {
        "from": ("od", "nadawca"),
        "date": ("wysłano", "wysłane", "data"),
        "to": ("do", "adresat"),
        "subject": ("temat",),
        "other": ("dw",),
    },
    "cs": {
        "from": ("od",),
        "date": ("odesláno", "datum", "odoslané"),
        "to": ("komu",),
        "subject": ("předmět", "predmet"),
        "other": ("kopie",),
    },
    "hu": {"from": ("feladó",), "date": ("elküldve", "dátum"), "to": ("címzett",), "subject": ("tárgy",)},
    "ro": {"from": ("de la",), "date": ("trimis", "data"), "to": ("către",), "subject": ("subiect",)},
    "ru": {
        "from": ("от", "от кого"),
        "date": ("отправлено", "дата"),
        "to": ("кому",),
        "subject": ("тема",),
        "other": ("копия",),
    },
    "el": {"from": ("από",), "date": ("στάλθηκε", "ημερομηνία"), "to": ("προς",), "subject": ("θέμα",)},
    "tr": {
        "from": ("kimden", "gönderen"),
        "date": ("gönderildi", "tarih"),
        "to": ("kime",),
        "subject": ("konu",),
    },
    "ar": {"from": ("من",), "date": ("تم الإرسال", "التاريخ"), "to": ("إلى",), "subject": ("الموضوع",)},
    "zh": {"from": ("发件人",), "date": ("发送时间", "日期"), "to": ("收件人",), "subject": ("主题",)},
}

# Between dashes, above a quoted message.
ORIGINAL: Mapping[str, tuple[str, ...]] = {
    "es": ("mensaje original", "correo original"),
    "en": ("original message", "original appointment", "original email"),
    "ca": ("missatge original",),
    "gl": ("mensaxe orixinal",),
    "eu": ("jatorrizko mezua",),
    "pt": ("mensagem original",),
    "fr": ("message d'origine", "message original", "courriel original"),
    "it": ("messaggio originale",),
    "de": ("ursprüngliche nachricht", "original-nachricht", "originalnachricht"),
    "nl": ("oorspronkelijk bericht", "origineel bericht"),
    "da": ("oprindelig besked", "oprindelig meddelelse", "opprinnelig melding", "ursprungligt meddelande"),
    "fi": ("alkuperäinen viesti",),
    "pl": ("wiadomość oryginalna", "oryginalna wiadomość"),
    "cs": ("původní zpráva", "pôvodná správa"),
    "hu": ("eredeti üzenet",),
    "ro": ("mesaj original", "mesajul original"),
    "ru": ("исходное сообщение", "оригинальное сообщение"),
    "el": ("αρχικό μήνυμα",),
    "tr": ("orijinal mesaj", "özgün ileti"),
}

# Between dashes, or on a line of its own with a colon, above a forwarded message.
FORWARDED: Mapping[str, tuple[str, ...]] = {
    "es": ("mensaje reenviado", "inicio del mensaje reenviado", "correo reenviado"),
    "en": ("forwarded message", "begin forwarded message", "forwarded by"),
    "ca": ("missatge reenviat",),
    "gl": ("mensaxe reenviada",),
    "eu": ("birbidalitako mezua",),
    "pt": ("mensagem encaminhada", "mensagem reencaminhada", "início da mensagem reencaminhada"),
    "fr": (
        "message transféré",
        "message transmis",
        "début du message réexpédié",
        "début du message transféré",
    ),
    "it": ("messaggio inoltrato", "inizio messaggio inoltrato"),
    "de": ("weitergeleitete nachricht", "anfang der weitergeleiteten nachricht"),
    "nl": ("doorgestuurd bericht", "begin doorgestuurd bericht"),
    "da": (
        "videresendt meddelelse",
        "videresendt besked",
        "vidarebefordrat meddelande",
        "videresendt melding",
    ),
    "fi": ("välitetty viesti", "edelleenlähetetty viesti"),
    "pl": ("wiadomość przekazana dalej", "przekazana wiadomość", "treść przekazanej wiadomości"),
    "cs": ("přeposlaná zpráva", "preposlaná správa"),
    "ru": ("пересылаемое сообщение", "пересланное сообщение"),
}

# The first prefix of a subject that hands a message on (Outlook, Gmail, Apple, Yahoo).
FORWARD_PREFIXES = ("fw", "fwd", "rv", "reenv", "reenviado", "rvdo", "tr", "wg", "enc", "doorst", "pd")

# How a telephone signs, at the start of a line of its own; a name of a device or program follows.
SENT_FROM: Mapping[str, str] = {
    "es": r"enviado (?:desde|con) (?:mi |el |la |correo|outlook|yahoo|gmail|iphone|ipad|samsung|proton|mail)"
    r"|(?:obtener|descarga[r]?|consigue) outlook|enviado mediante|mandado desde mi",
    "en": r"sent (?:from|via|using|with) (?:my |a |the mobile|iphone|ipad|mail|outlook|yahoo|gmail|samsung"
    r"|android|proton|typeapp|blue|spark|windows|k-9|fairemail|superhuman|front)|get outlook for",
    "pt": r"enviad[oa] (?:do|da|a partir do|pelo|via) |obte(?:r|nha) o outlook",
    "fr": r"envoy[ée] (?:de(?:puis)?|à partir de?|via) |télécharge[rz] outlook|obtenez outlook",
    "it": r"inviato da(?:l|lla)? |scarica outlook|ottieni outlook",
    "de": r"(?:von meinem .{1,30} )?gesendet (?:von|mit|über|aus)?|outlook für (?:ios|android) "
    r"|diese nachricht wurde von meinem",
    "nl": r"verzonden (?:vanuit|vanaf|met|via) |outlook voor |download outlook",
    "da": r"sendt fra |skickat från |hämta outlook|hent outlook",
    "fi": r"lähetetty |hanki outlook",
    "pl": r"wysłan[eoy] z |pobierz outlook",
    "cs": r"odesláno z|odoslané z|získat outlook",
    "hu": r"az \w+[-‑]omról küldve|elküldve",
    "ro": r"trimis de pe |trimis din ",
    "ru": r"отправлено (?:с|из) ",
    "el": r"στάλθηκε από |εστάλη από ",
    "ar": r"أُرسلت من|أرسلت من|تم الإرسال من",
    "ca": r"enviat des d",
    "eu": r".{0,20}nire .{1,20}bidalia",
}


_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]")


def folded(text: str) -> str:
    """Without case and accents, NBSP and zero-width characters out of the way; the length may change."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()


def any_of(table: Mapping[str, Iterable[str]]) -> str:
    """A regular expression for the folded words of all languages, longest first, unbracketed."""
    words = {folded(word) for words in table.values() for word in words}
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def language_of(table: Mapping[str, Iterable[str]], word: str) -> str:
    """The first language that has this folded word, "" where none has."""
    return next((code for code, words in table.items() if word in map(folded, words)), "")
