package import Model

/// Why a mailing is paused or stopped, or has failed.
package struct StateReason: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A person gave the order.
        case person
        /// A provider refuses our credentials, our sender or whatever else only we can fix.
        case providerRefused = "provider_refused"
        /// A worker cannot send it: its provider is unknown there, or its definition cannot be read.
        case unsendable
        /// Its rows in the ledger cannot be read.
        case damaged
        /// It was found so long after its start that a person decides.
        case late
        /// Its recipients cannot be read.
        case input
        /// The ledger is an older copy, and the mailing may have been sent since that was made.
        case restored
        /// Too many of its messages bounced, or were called spam.
        case brake
        /// Every recipient has an end, and nobody was sent to.
        case nobody
    }

    /// A mailing that is paused for this reason waits until a person resumes it. The cause of any other pause may be gone by now, so that
    /// `send` resumes the mailing.
    package var needsPerson: Bool {
        switch kind {
        case .person, .late, .restored, .unsendable, .damaged, .brake: true
        case .providerRefused, .input, .nobody, nil: false
        }
    }

    /// Nil where nothing is known, and for states that need no reason.
    package var kind: Kind?
    /// The person who gave the order, as they are to be shown; empty for other kinds.
    package var actor: String
    /// More, for people.
    package var text: String

    package init(kind: Kind? = nil, actor: String = "", text: String = "") {
        self.kind = kind
        self.actor = actor
        self.text = text
    }

    package static let none = StateReason()
    /// - Parameter text: why the person wants it; may be empty.
    package static func person(_ actor: String, _ text: String = "") -> StateReason {
        StateReason(kind: .person, actor: actor, text: text)
    }
    package static func providerRefused(_ text: String) -> StateReason { StateReason(kind: .providerRefused, text: text) }
    package static func brake(_ text: String) -> StateReason { StateReason(kind: .brake, text: text) }
    package static func late(_ text: String) -> StateReason { StateReason(kind: .late, text: text) }

    /// The reason in words, as a mailing in `state` shows it; empty where there is none.
    package func words(_ state: MailingState) -> String {
        guard kind == .person else { return text }
        return "\(state.rawValue) by \(actor)" + (text.isEmpty ? "" : ": \(text)")
    }
}
