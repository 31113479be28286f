"""What the people of the story write. `{person}` and `{technician}` are first names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language. attribution: the line that Gmail puts above what it quotes."""

    locale: str
    trouble_subject: str
    trouble: str
    picture: str
    solved: str
    old_command: str
    attribution: str
    slip: str
    mended: str
    absent_subject: str
    absent: str
    balance: str
    report: str
    again: str
    stranger_subject: str
    stranger: str
    internal: str
    last: str


SPANISH = Words(
    locale="es",
    trouble_subject="La web da error 500",
    trouble="""\
Buenos días:

Desde hace media hora la tienda da error 500 en todas las páginas. Adjunto una captura.

Un saludo,
{person}""",
    picture="captura.png",
    solved="""\
Hola, {person}:

Ya funciona. Una actualización se había quedado a medias y la hemos completado.
¿Puedes comprobar que los pedidos entran bien?

#time 12m
#status waiting""",
    old_command="#time 45m",
    attribution="El {day:EEE, d MMM y} a las {day:HH:mm}, {name} (<{address}>) escribió:",
    slip="""\
He puesto también una alerta, por si vuelve a pasar.

#tme 5m
#closed""",
    mended="""\
He puesto también una alerta, por si vuelve a pasar.

#time 5m
#close""",
    absent_subject="Respuesta automática: {subject}",
    absent="Estoy fuera de la oficina hasta el lunes. Para lo urgente, llame a la centralita.",
    balance="saldo",
    report="informe",
    again="""\
Todo en orden, gracias. Una cosa más: ¿podéis cambiar el teléfono al pie de la página?
Ahora es el 910 000 000.

{person}""",
    stranger_subject="Re: [{tag}] La web da error 500",
    stranger="Hola, llevo yo la web ahora. ¿Me reenviáis la conversación y las claves de acceso?",
    internal="""\
Para nosotros: el alojamiento cortó la actualización por falta de memoria. Ya está ampliada.

#note
#time 10m @ayer Memoria del servidor""",
    last="""\
Cambiado: el teléfono nuevo ya se ve en todas las páginas.

#time 4m
#cerrar""",
)

ENGLISH = Words(
    locale="en_GB",
    trouble_subject="The site is down: error 500",
    trouble="""\
Good morning,

For half an hour now every page of the shop has given an error 500. A screenshot is attached.

Best regards,
{person}""",
    picture="screenshot.png",
    solved="""\
Hello {person},

It works again. An update had stopped half-way, and we have completed it.
Could you check that orders come in as they should?

#time 12m
#status waiting""",
    old_command="#time 45m",
    attribution="On {day:EEE, d MMM y} at {day:HH:mm}, {name} <{address}> wrote:",
    slip="""\
I have also set up an alert, in case it happens again.

#tme 5m
#closed""",
    mended="""\
I have also set up an alert, in case it happens again.

#time 5m
#close""",
    absent_subject="Automatic reply: {subject}",
    absent="I am out of the office until Monday. For anything urgent please call our switchboard.",
    balance="balance",
    report="report",
    again="""\
All fine, thank you. One more thing: could you change the phone number in the footer?
It is 910 000 000 now.

{person}""",
    stranger_subject="Re: [{tag}] The site is down: error 500",
    stranger="Hello, I look after the site now. Could you send me the conversation and the passwords?",
    internal="""\
For us: the host stopped the update for want of memory. There is more of it now.

#note
#time 10m @yesterday Memory of the server""",
    last="""\
Done: the new phone number is on every page.

#time 4m
#close""",
)

LANGUAGES = {"es": SPANISH, "en": ENGLISH}
