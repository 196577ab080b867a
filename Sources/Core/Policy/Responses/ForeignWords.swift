/// Words of servers that answer in the language of their owners, for the two refusals that matter most. The case of letters beyond ASCII
/// counts, and so they are small here.
enum ForeignWords {
    /// No such mailbox.
    static let unknownUser = [
        // German.
        "unbekannter benutzer", "benutzer unbekannt", "benutzer ist unbekannt", "unbekannter empf", "empfänger unbekannt",
        "empfaenger unbekannt", "empfänger ist unbekannt", "empfänger existiert nicht", "empfaenger existiert nicht",
        "benutzer existiert nicht", "benutzer nicht gefunden", "empfänger nicht gefunden", "postfach existiert nicht",
        "postfach nicht gefunden", "postfach unbekannt", "mailbox existiert nicht", "kein solcher benutzer", "kein solches postfach",
        // French.
        "utilisateur inconnu", "utilisateur inexistant", "destinataire inconnu", "destinataire inexistant", "destinataire invalide",
        "utilisateur n'existe pas", "destinataire n'existe pas", "boîte aux lettres inexistante", "boite aux lettres inexistante",
        "boîte aux lettres inconnue", "boite aux lettres inconnue",
        // Spanish.
        "usuario desconocido", "usuario inexistente", "usuario no existe", "usuario no encontrado", "destinatario desconocido",
        "destinatario inexistente", "destinatario no existe", "no existe el usuario", "buzón inexistente", "buzon inexistente",
        "buzón no existe", "buzon no existe",
        // Italian.
        "utente sconosciuto", "utente inesistente", "utente non esiste", "utente non trovato", "destinatario sconosciuto",
        "destinatario inesistente", "destinatario non esiste", "casella inesistente", "casella di posta inesistente",
        "casella non esiste",
        // Dutch.
        "onbekende gebruiker", "gebruiker onbekend", "gebruiker bestaat niet", "onbekende ontvanger", "ontvanger onbekend",
        "ontvanger bestaat niet", "mailbox bestaat niet", "postbus bestaat niet",
        // Polish.
        "nieznany użytkownik", "nieznany uzytkownik", "użytkownik nieznany", "uzytkownik nieznany", "użytkownik nie istnieje",
        "uzytkownik nie istnieje", "nieznany odbiorca", "odbiorca nieznany", "odbiorca nie istnieje", "nieznany adresat",
        "adresat nieznany", "skrzynka nie istnieje", "takiego użytkownika", "takiego uzytkownika",
        // Portuguese.
        "usuário desconhecido", "usuario desconhecido", "usuário inexistente", "usuário não existe", "usuario nao existe",
        "usuário não encontrado", "utilizador desconhecido", "utilizador inexistente", "destinatário desconhecido",
        "destinatario desconhecido", "destinatário inexistente", "caixa postal inexistente", "caixa postal não existe",
        // Russian, without the first letter, which may be a capital.
        "ользователь не найден", "ользователь неизвестен", "ользователь не существует", "ользователя не существует",
        "еизвестный пользователь", "еизвестный получатель", "олучатель не найден", "олучатель неизвестен", "олучатель не существует",
        "очтовый ящик не найден", "ящик не существует", "ящика не существует", "ет такого пользователя", "акого пользователя нет",
    ]

    /// The server does not pass on our mail.
    static let relayDenied = [
        // German.
        "weiterleitung verweigert", "weiterleitung nicht erlaubt", "weiterleitung nicht gestattet", "weiterleiten nicht erlaubt",
        "weiterleiten verweigert", "relay verweigert", "relaying verweigert", "relay nicht erlaubt", "relaying nicht erlaubt",
        "relay-zugriff verweigert", "relayzugriff verweigert",
        // French.
        "relais refusé", "relais refuse", "relayage refusé", "relayage interdit", "relayage non autorisé", "relais interdit",
        "relais non autorisé", "accès au relais refusé",
        // Spanish.
        "relay no permitido", "relay denegado", "relay no autorizado", "reenvío denegado", "reenvio denegado", "reenvío no permitido",
        "reenvio no permitido", "retransmisión denegada", "retransmisión no permitida",
        // Italian.
        "relay negato", "relay non consentito", "relay non permesso", "relay non autorizzato", "inoltro negato", "inoltro non consentito",
        // Dutch.
        "relay geweigerd", "relayen geweigerd", "relay niet toegestaan", "relayen niet toegestaan", "relaying niet toegestaan",
        "doorsturen geweigerd", "doorsturen niet toegestaan",
        // Polish.
        "przekazywanie zabronione", "przekazywanie niedozwolone", "przekazywanie poczty zabronione", "relay zabroniony",
        "relaying zabroniony",
        // Portuguese.
        "relay negado", "relay não permitido", "relay nao permitido", "relay não autorizado", "retransmissão negada",
        "retransmissão não permitida",
        // Russian, without the first letter.
        "ересылка запрещена", "ересылка почты запрещена", "етрансляция запрещена", "елей запрещен", "елей запрещён", "relay запрещ",
    ]
}
