/// What the lint looks for in an e-mail. None of it keeps a mailing from being sent, but for a subject that is empty for everybody.
enum LintRule: String, CaseIterable {
    case noUnsubscribeLink = "no_unsubscribe_link"
    case noUnsubscribeHeader = "no_unsubscribe_header"
    case ownUnsubscribeLink = "own_unsubscribe_link"
    case imageWithoutAlt = "image_without_alt"
    case clipped
    case insecureLink = "insecure_link"
    case deadAnchor = "dead_anchor"
    case unclosedElement = "unclosed_element"
    case strayEndTag = "stray_end_tag"
    case tooDeep = "too_deep"
    case unsupported
    case emptySubject = "empty_subject"
    case longSubject = "long_subject"
    case capitalSubject = "capital_subject"
    case noTextPart = "no_text_part"

    var severity: MailingFinding.Severity { self == .emptySubject ? .fault : .warning }

    var why: String {
        switch self {
        case .noUnsubscribeLink:
            "Gmail and Yahoo ask for a visible link in bulk mail, and people without one report spam (support.google.com/mail/answer/81126)"
        case .noUnsubscribeHeader: "Gmail and Yahoo refuse bulk mail that cannot be unsubscribed from by one click (RFC 8058)"
        case .ownUnsubscribeLink: "flotilla mailing test sends it as it is: whoever follows it there unsubscribes the person of the list"
        case .imageWithoutAlt: "many readers see no images, or hear the message read to them"
        case .clipped: "Gmail shows the first 102 KB alone, and hides the end with the unsubscribe link and the picture that counts opens"
        case .insecureLink: "browsers warn of it, and everybody on the way can read and change what it leads to"
        case .deadAnchor: "the link leads nowhere"
        case .unclosedElement, .strayEndTag: "each mail program guesses another end, and the layout differs"
        case .tooDeep: "mail programs show such a message late, or not at all"
        case .unsupported: "the layout or content is lost there"
        case .emptySubject: "it looks like spam, and is filtered as such"
        case .longSubject: "mail programs cut it after 40 to 70 characters"
        case .capitalSubject: "filters and people take capitals for spam"
        case .noTextPart: "a message that is images alone looks like spam, and shows nothing where images are blocked"
        }
    }

    var advice: String {
        switch self {
        case .noUnsubscribeLink:
            "write {{unsubscribe_url}} in html and text (docs/tracking.md); `category: transactional` says that no link is needed"
        case .noUnsubscribeHeader:
            "set tracker.url (docs/tracking.md), or give the mailing List-Unsubscribe and List-Unsubscribe-Post in headers"
        case .ownUnsubscribeLink: "write {{unsubscribe_url}}, which a test makes invalid"
        case .imageWithoutAlt: "say in alt what it shows; alt=\"\" for an ornament"
        case .clipped: "shorten it: styles that are not used, comments, long URLs"
        case .insecureLink: "write https://"
        case .deadAnchor: "give the target this id, or correct the link"
        case .unclosedElement: "close it where it ends"
        case .strayEndTag: "remove it, or write the tag that begins the element"
        case .tooDeep: "nest fewer elements"
        case .unsupported: ""
        case .emptySubject: "write a subject, and a text for those whose field is empty: {{^first_name}}…{{/first_name}}"
        case .longSubject: "put what matters first, or shorten it"
        case .capitalSubject: "write it as a sentence"
        case .noTextPart: "write what it says as text, or give the mailing `text:`"
        }
    }
}
