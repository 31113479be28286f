"""What is covered as access data, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.access_data import MASK, masked, pieces, spans
from mailgate.core.access_data.covering import cover
from tests.support import in_linear_time, mail

_BEGIN = "-----BEGIN PRIVATE KEY-----"
_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJlLW9mLWl0"
_WP = "Ab3d eF6h iJ9l mN2p qR5t uV8x"

# Each mail with its access data between « and ».
FOUND = (
    # After a word
    "Contraseña: «hunter2!»",
    "contraseña del FTP: «hunter2!»\nHost: ftp.acme.example",
    "Clave:\n  «s3creta»",
    "CLAVE = «verano»",
    "user: ana\npass = «x9»",
    "usuario: ana / contraseña: «Perro2024»",
    "Usuario: ana, contraseña: «Perro2024», y me decís.",
    "*Contraseña:* «Perro2024»",
    "> Contraseña:\n> «Xk9!zz»",
    "Contraseña\n«Xk9!zzTop»\n",
    "la contraseña es «Perro2024».",
    "La nueva clave de acceso al panel es «gato-57-azul»",
    "the password for admin is «t0psecret»",
    "he cambiado la contraseña a «Verano#26», ya podéis entrar",
    'con usuario admin y contraseña "«perroazul7»" entra bien',
    "podéis entrar con la clave «Tr3s-tristes»",
    "The password is now «Blue!Fish22»",
    "PIN: «4821»",
    "Contraseña → «Perro2024»",
    "Contraseña - «Perro2024»",
    "Contraseña de aplicación: «abcd efgh ijkl mnop qrst uvwx»",
    "Password:\t«Xk9!zz»",
    # Shops, blogs, panels
    "WordPress: https://acme.example/wp-admin\nadmin / «Xk9!zz»",
    "PrestaShop\nhttps://tienda.example/admin123\nana@acme.example / «Qw3rty!9»",
    "cPanel: https://acme.example:2083\nusuario acme\npassword «k8$Lmn20x»",
    "Plesk\nlogin: acme\npwd: «Zz9_plesk»",
    "FTP\nhost: ftp.acme.example\nuser: tienda01 / pass: «q9Z#rrT0»",
    "acceso SFTP\nweb01 / «Sftp!2026x»",
    "SSH root / «Toor!2026x»",
    "Accesos:\nadmin\n«Xk9!zz_top»",
    "usuario/contraseña: admin / «perro9»",
    "user/pass admin/«Xk9zz»",
    "Credenciales: ana@acme.example / «Qwerty!9»",
    # Tables
    "Usuario\tContraseña\nadmin\t«Xk9!zz»\neditor\t«gato azul»",
    "| Usuario | Contraseña |\n|---|---|\n| admin | «perro» |",
    "Usuario\tadmin\nContraseña\t«Xk9!zz»",
    "servidor;usuario;clave\nftp.acme.example;web;«abc123»",
    # Files
    "define('DB_PASSWORD', '«a b c»');",
    'define( "AUTH_KEY", "«k#2:,x;y z»" );',
    "define('_DB_PASSWD_', '«x9!»');",
    "'database_password' => '«s3c»',",
    "'cookie_key' => '«Zk2o9»',",
    "$config['db_password'] = '«x1y2»';",
    "DB_PASSWORD=«x1y2z3»\nDB_HOST=localhost",
    '{"token": "«abc123»"}',
    "<password>«s3creto»</password>",
    "mysql -u root -p«Secreta1» tienda",
    "CREATE USER web IDENTIFIED BY «'x9!y'»;",
    # By their shape
    "ftp://ana:«x9!y»@ftp.acme.example/web",
    "mysql://root:«s3cr»@localhost/db",
    f"{_BEGIN}«\nMIIabc\n»-----END PRIVATE KEY-----",
    f"El token sale así «{_JWT}» y caduca",
    "curl -H 'Authorization: Bearer «abcdef1234567890abcd»' https://api.example",
    "Usa «ghp_abcdefghijklmnopqrstuvwxyz0123456789» para bajarlo",
    "en Stripe «sk_live_51Habcdefghijkl» y listo",
    "AWS «AKIAIOSFODNN7EXAMPLE» de la cuenta",
    "el bot «xoxb-123456789012-abcdefGHIJ»",
    "GitLab: «glpat-abcdefghij1234567890»",
    f"la de aplicación es esta\n«{_WP}»",
    f"Application password: «{_WP}»",
    "API key: «12ab-34cd»",
    "client secret: «a1b2c3d4»",
)

NOT_FOUND = (
    "",
    "No funciona el carrito.",
    "La contraseña es incorrecta, dice.",
    "He olvidado la contraseña y no puedo entrar.",
    "Contraseña: la de siempre",
    "Password: same as before",
    "He cambiado la contraseña a una más larga.",
    "El pincel: azul. La pasarela: Redsys.",
    "Palabras clave: zapatos, botas, sandalias",
    "Puntos clave: precio y plazo",
    "https://acme.example/contacto, ana@acme.example",
    "https://acme.example/restablecer?clave=si",
    "La clave está en la caché.",
    "La clave del problema: el plugin de caché",
    "I forgot my password for the shop: how do I get in?",
    "Your pass to the fair is ready.",
    "Para restablecer la contraseña: https://acme.example/reset",
    "PHP / 8.2\nWooCommerce / 9.4.1",
    "10/12/2026\n12:30 / 14:00",
    "IBAN ES91 2100 0418 4502 0005 1332",
    "Como esta cosa pero nada mala",
    "Soy Ana / Acme",
    "Contraseña:\n\nTeléfono: 600 100 200",
    "Contraseña:\n#time 12m",
    "usuario: ana@acme.example",
    "Contraseña: ••••••••",
    "El formulario pide usuario y contraseña dos veces.",
    "El campo «contraseña» no se ve en el móvil.",
    "Referencia 2026-FX-123 del pedido SOP-12",
    "Chrome 120, iPhone 15, versión 1.7.8.9",
)


def _shown(text: str) -> str:
    return "".join(f"«{piece.text}»" if piece.secret else piece.text for piece in pieces(text))


@pytest.mark.parametrize("marked", FOUND)
def test_access_data_are_found(marked: str) -> None:
    assert _shown(marked.replace("«", "").replace("»", "")) == marked


@pytest.mark.parametrize("text", NOT_FOUND)
def test_other_text_stays(text: str) -> None:
    assert masked(text) == text
    assert not spans(text)


def test_a_mask_stands_in_place_of_them() -> None:
    assert masked("Contraseña: hunter2!\nAna") == f"Contraseña: {MASK}\nAna"
    assert spans("Contraseña: hunter2!")


_WORDS = [
    "contraseña",
    "clave",
    "pass",
    "token",
    ":",
    "=",
    " ",
    "\n",
    "\t",
    "/",
    "admin",
    "Xk9!zz",
    "es",
    "://",
    "@",
    "'",
    "|",
    "eyJ",
    "> ",
]


@given(st.lists(st.sampled_from(_WORDS) | st.text(max_size=8), max_size=40).map("".join))
def test_the_pieces_join_to_the_text(text: str) -> None:
    parted = pieces(text)
    assert "".join(piece.text for piece in parted) == text
    assert all(piece.text for piece in parted if piece.secret)


_DEAR = (
    *("clave ", "pass word ", "a://b:", "clave: ", "clave:\n", "pass\t", "usuario\tclave\n", "a / b\n", "user/pass "),
    *(
        "-----BEGIN PRIVATE KEY-----",
        "eyJaaaaaaaa.",
        "Ab3d ",
        "password is ",
        "mysql -u ",
        "curl -u ",
        "token 'a",
        '"',
        "<pass>a",
    ),
    *(
        "clave a b c d ",
        "bearer ",
        "Private-Lines: 9\n",
        "x\n",
        "clave - - - - ",
        "IDENTIFIED BY '",
        "> ",
        "sk-",
        "_",
        'key"=>',
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize("part", _DEAR)
def test_no_text_is_dear(part: str) -> None:
    with in_linear_time():
        masked(part * (1_000_000 // len(part)))


@pytest.mark.slow
@pytest.mark.parametrize("line", ["clave: Xk9!{}zz\n", "clave: Xk9!1zz ⟦•••{}⟧\n", "#redact {}\nclave: Xk9!1zz\n"])
def test_no_mail_is_dear_to_cover(line: str) -> None:
    made = mail("".join(map(line.format, range(30_000))))
    with in_linear_time():
        covered, _ = cover(made, (), {}, 1)
    assert "clave: Xk9!" not in covered.text
