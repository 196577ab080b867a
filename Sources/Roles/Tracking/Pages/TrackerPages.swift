import Telemetry
import Text

/// What visitors see, in one language: plain HTML that works without scripts, and never says more about a recipient than the visitor knows.
struct TrackerPages: Sendable {
    let frame: PageFrame
    let unsubscribe: WebResponse
    let unsubscribed: WebResponse
    /// For choices while it is not known what there is to choose from.
    let preferences: WebResponse
    let subscribed: WebResponse
    /// For choices that are kept, while it is not known what they come to.
    let taken: WebResponse
    /// For a token that is none, for whatever reason.
    let refused: WebResponse
    /// For a choice that cannot be kept now.
    let later: WebResponse
    /// The same for what was chosen on a form: a button could not send it again, and loading the page again does.
    let laterForm: WebResponse
    /// For a form that the page did not send.
    let invalid: WebResponse
    let nothing: WebResponse
    /// For a message that is not kept any more, one that is too long, and one that cannot be had now.
    let gone: WebResponse
    let tooLarge: WebResponse
    let wait: WebResponse

    /// The query with which the page of choices subscribes again.
    static let again = "?again"

    /// - Parameter base: the path of the tracker's public address.
    init(_ language: PageLanguage, _ look: PageLook, base: String) {
        let frame = PageFrame(language, look, base: base)
        func paragraph(_ texts: PageText...) -> String { texts.map { "<p>\(language[$0])</p>" }.joined(separator: "\n") }
        func button(_ text: PageText) -> String { "<button type=\"submit\">\(language[text])</button></form>" }
        self.frame = frame
        unsubscribe = frame.page(
            200, language[.unsubscribeTitle],
            paragraph(.unsubscribeText) + "\n<form method=\"post\">" + button(.unsubscribeButton))
        unsubscribed = frame.page(200, language[.unsubscribedTitle], paragraph(.unsubscribedText, .unsubscribedErased))
        preferences = frame.page(
            200, language[.preferencesTitle],
            paragraph(.askText) + "\n<form method=\"post\" action=\"?\">" + button(.stopButton)
                + "\n<form method=\"post\" action=\"\(Self.again)\">" + button(.againButton))
        subscribed = frame.page(200, language[.subscribedTitle], paragraph(.subscribedText))
        taken = frame.page(200, language[.preferencesTitle], paragraph(.takenText, .unsubscribedErased))
        refused = frame.page(404, language[.refusedTitle], paragraph(.refusedText))
        later = frame.page(
            503, language[.laterTitle], paragraph(.laterText) + "\n<form method=\"post\">" + button(.laterButton), [("Retry-After", "60")])
        laterForm = frame.page(503, language[.laterTitle], paragraph(.laterText), [("Retry-After", "60")])
        invalid = frame.page(400, language[.laterTitle], paragraph(.invalidText))
        nothing = frame.page(404, language[.nothingTitle], paragraph(.nothingText))
        gone = frame.page(410, language[.goneTitle], paragraph(.goneText))
        tooLarge = frame.page(404, language[.goneTitle], paragraph(.tooLargeText))
        wait = frame.page(503, language[.waitTitle], paragraph(.waitText), [("Retry-After", "10")])
    }
}

/// The pages in all languages.
struct LanguagePages: Sendable {
    private let pages: [String: TrackerPages]
    private let codes: [String]
    private let first: TrackerPages

    init(_ look: PageLook, base: String) {
        first = TrackerPages(.english, look, base: base)
        codes = PageLanguage.all.map(\.code)
        pages = Dictionary(
            PageLanguage.all.map { ($0.code, TrackerPages($0, look, base: base)) }, uniquingKeysWith: { first, _ in first })
    }

    /// In the visitor's language where there is one.
    func pages(for request: WebRequest) -> TrackerPages {
        pages[AcceptedLanguages.choose(request.headers["accept-language"] ?? "", among: codes)] ?? first
    }
}
