/// The shares of messages that meet faults, by stage.
package struct FailureProfile: Sendable, Equatable {
    /// Where in a dialogue a fault is met.
    package enum Stage: String, Sendable, CaseIterable {
        /// In place of the greeting of SMTP; for HTTP, on accepting the connection (a fault without a response).
        case connect
        /// At MAIL.
        case mail
        /// At RCPT.
        case rcpt
        /// After the final dot.
        case data
        /// At the end of a request.
        case http
    }

    /// One fault and the part of the draws, from the limit of the rule before it up to its own, that meets it.
    struct Rule: Sendable, Equatable {
        var limit: Double
        var fault: Fault
    }

    private var connect: [Rule] = []
    private var mail: [Rule] = []
    private var rcpt: [Rule] = []
    private var data: [Rule] = []
    private var http: [Rule] = []

    /// A profile without faults.
    package init() {}

    /// A message's recipient and the number of the attempt have to be known.
    var drawsByRecipient: Bool { !(rcpt.isEmpty && data.isEmpty && http.isEmpty) }

    /// A code that this protocol does not have; nil where there is none. Faults without a response are met over both.
    package func codeNeverMet(over proto: SinkProfile.Proto) -> Int? {
        Stage.allCases.filter { ($0 == .http) != (proto == .http) }.lazy
            .flatMap { self[$0] }.map(\.fault.code).first { $0 != 0 }
    }

    /// The rules of a stage, in the order in which they were written.
    subscript(_ stage: Stage) -> [Rule] {
        get {
            switch stage {
            case .connect: connect
            case .mail: mail
            case .rcpt: rcpt
            case .data: data
            case .http: http
            }
        }
        set {
            switch stage {
            case .connect: connect = newValue
            case .mail: mail = newValue
            case .rcpt: rcpt = newValue
            case .data: data = newValue
            case .http: http = newValue
            }
        }
    }

    /// The fault that a draw from 0 up to 1 meets.
    func fault(at stage: Stage, draw: Double) -> Fault? {
        for rule in self[stage] where draw < rule.limit { return rule.fault }
        return nil
    }
}
