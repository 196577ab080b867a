package import Model
import Text

/// A refusal as it is compared with others: what differs from one recipient to the next, the words, is not compared.
package struct Refusal: Hashable, Sendable {
    package let reason: ResponseReason
    package let code: Int
    /// The enhanced code in front of the text; empty where there is none.
    package let enhanced: String

    /// - Parameter text: with the enhanced code in front where one was given.
    package init(_ reason: ResponseReason, code: Int, text: String) {
        var text = text
        self.reason = reason
        self.code = code
        enhanced = text.withUTF8 { EnhancedCode(startOf: $0) }.map(\.description) ?? ""
    }
}

/// Why a mailing is to be paused: a provider gives everybody the same response.
package struct CommonRefusal: Sendable, Equatable {
    package let refusal: Refusal
    /// Recipients who got the like of it.
    package let count: Int
    /// Of how many: those who are still to be sent to where nobody was accepted, else the last responses.
    package let of: Int
    package let isBeforeAcceptance: Bool

    /// - Parameter text: the words of one of the refusals, which may hold a recipient's address.
    package func words(provider: String, text: String) -> String {
        let response = "\(refusal.code == 0 ? "" : "\(refusal.code) ")\(ResponseGrouping.normalise(text))"
        let who = provider.isEmpty ? "the provider" : "provider \(provider)"
        return isBeforeAcceptance
            ? "\(who) refuses everybody: \(count == 1 ? "1 recipient" : "\(count) recipients") got '\(response)', and nobody was accepted"
            : "\(who) refuses everybody now: \(count) of the last \(of) responses are '\(response)'"
    }
}
