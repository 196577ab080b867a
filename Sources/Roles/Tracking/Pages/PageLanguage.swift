import Model

/// A text of the pages that visitors see. Its name is its key in the files of `Languages/`.
enum PageText: String, CaseIterable, Sendable {
    case unsubscribeTitle, unsubscribeText, unsubscribeButton, unsubscribedTitle, unsubscribedText, unsubscribedErased
    case preferencesTitle, askText, stopButton, againButton, subscribedTitle, subscribedText
    case choicesText, saveButton, allButton, savedText, takenText, nothingWanted, excluded
    case email, sms, messenger, webhook
    case refusedTitle, refusedText, laterTitle, laterText, laterButton, invalidText, nothingTitle, nothingText
    case goneTitle, goneText, waitTitle, waitText, tooLargeText
}

/// The texts of the pages in one language.
struct PageLanguage: Sendable {
    /// As the attribute `lang` has it (BCP 47).
    let code: String
    let isRightToLeft: Bool
    private let texts: [PageText: String]

    /// - Parameter source: a line `key = text` for each text, and lines that begin with blanks for its rest; `dir = rtl` for a language
    ///   that is written from right to left. Other lines, and keys that this release does not know, are passed over.
    init(_ code: String, _ source: [UInt8]) {
        self.code = code
        var texts: [PageText: String] = [:]
        var direction = ""
        var last: PageText?
        for line in String(decoding: source, as: UTF8.self).split(whereSeparator: \.isNewline) {
            if let last, line.hasPrefix("  ") {
                texts[last]?.append(" " + line.dropFirst(2))
                continue
            }
            guard let sign = line.firstRange(of: " = ") else { continue }
            let (key, text) = (String(line[..<sign.lowerBound]), String(line[sign.upperBound...]))
            last = PageText(rawValue: key)
            if let last { texts[last] = text } else if key == "dir" { direction = text }
        }
        isRightToLeft = direction == "rtl"
        self.texts = texts
    }

    /// Texts that it has not.
    var missing: [PageText] { PageText.allCases.filter { texts[$0] == nil } }

    /// As HTML; what a language has not is in English.
    subscript(text: PageText) -> String { texts[text] ?? Self.english.texts[text] ?? "" }

    func name(_ channel: Channel) -> String {
        switch channel {
        case .email: self[.email]
        case .sms: self[.sms]
        case .messenger: self[.messenger]
        case .webhook: self[.webhook]
        }
    }

    static let english = PageLanguage("en", PackageResources.en_txt)

    /// All there are, English first.
    static let all: [PageLanguage] = [
        english, PageLanguage("ar", PackageResources.ar_txt), PageLanguage("de", PackageResources.de_txt),
        PageLanguage("es", PackageResources.es_txt), PageLanguage("fr", PackageResources.fr_txt),
        PageLanguage("it", PackageResources.it_txt), PageLanguage("nl", PackageResources.nl_txt),
        PageLanguage("pl", PackageResources.pl_txt), PageLanguage("pt", PackageResources.pt_txt),
        PageLanguage("ru", PackageResources.ru_txt), PageLanguage("uk", PackageResources.uk_txt),
    ]
}
