package import Model

/// What is to be known of a provider's webhooks, as data: how they are signed, and where in them what is.
package struct ProviderScheme: Sendable, Equatable {
    package enum Form: Sendable {
        case json
        /// `application/x-www-form-urlencoded`.
        case form
        /// A JSON text in the member `Message` of a JSON text: SNS.
        case notification
    }

    package enum Time: Sendable, Equatable {
        case seconds(String)
        /// RFC 3339.
        case text(String)
    }

    /// What an event is called, and what it means; where `when` names a path and a value, only with that value there.
    package struct Word: Sendable, Equatable {
        package let word: String
        package let kind: ProviderReceipt.Kind
        package var path: String?
        package var values: Set<String> = []

        package init(_ word: String, _ kind: ProviderReceipt.Kind, when path: String? = nil, is values: String...) {
            (self.word, self.kind, self.path, self.values) = (word, kind, path, Set(values))
        }
    }

    package let name: String
    package var form: Form
    package let signature: WebhookSignature
    /// When it was signed: what is older than `window` seconds, or as far in the future, is refused. Nil where the scheme has no time.
    package var signedAt: WebhookSignature.Part?
    package var window: Int64 = 300
    /// What is another in each request, where the signature covers that and not the body: it counts with one body alone (`UsedTokens`).
    package var token: WebhookSignature.Part?
    /// Paths: of each the first that is there counts.
    package var word: [String]
    package var words: [Word]
    package var providerID: [String] = []
    /// What the provider puts behind its id begins with this sign.
    package var providerIDEnd: Character?
    package var messageID: [String] = []
    package var recipient: [String] = []
    package var time: [Time] = []
    package var detail: [String] = []
    /// Present and not `false` where the provider takes the visitor for a machine.
    package var machine: String?

    package init(_ name: String, _ form: Form, _ signature: WebhookSignature, word: [String], words: [Word]) {
        (self.name, self.form, self.signature, self.word, self.words) = (name, form, signature, word, words)
    }
}
