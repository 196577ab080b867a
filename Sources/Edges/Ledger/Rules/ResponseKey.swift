import Model
import Text

/// What the last responses of a mailing are counted by: a pure rule.
struct ResponseKey: Hashable {
    /// Where a counted response comes from.
    enum Origin: String {
        case provider
        /// Nothing was tried, because the limit of the recipient's domain left no room for long.
        case domainLimit = "domain_limit"
        /// The mailing's lifetime had ended before the first attempt.
        case lifetime
        /// A person said that the message did not arrive.
        case person
        /// Nobody answered.
        case none
    }

    var origin: Origin
    var kind: String
    var code: Int
    var text: String

    init(origin: Origin, kind: String, code: Int, text: String) {
        self.origin = origin
        self.kind = kind
        self.code = code
        self.text = text
    }

    init(_ response: ProviderResponse) {
        // A deferral by the worker itself has the reason `rate`, and no code.
        self.init(
            origin: response.reason == .rate && response.code == 0 ? .domainLimit : .provider,
            kind: response.reason.rawValue, code: response.code, text: ResponseGrouping.normalise(response.text))
    }

    /// An end that no provider caused.
    private init(_ origin: Origin, text: String) {
        self.init(origin: origin, kind: "none", code: 0, text: text)
    }

    static let unanswered = ResponseKey(.none, text: "no answer of a provider")
    static let neverTried = ResponseKey(.lifetime, text: "the lifetime was over before the first attempt")
    /// A person said that the message did not arrive.
    static let settledByHand = ResponseKey(.person, text: "settled by hand")

    /// The key of responses that are counted together because there are too many different ones. Providers choose codes freely, too.
    var gathered: ResponseKey {
        var key = self
        key.code = 0
        key.text = origin == .domainLimit ? "other domain limits" : ResponseGrouping.other
        return key
    }
}
