import Text

extension FailureProfile {
    /// Reads a profile as it is written on the command line:
    ///
    ///     profile = rule *("," rule)
    ///     rule    = [stage ":"] fault "=" share *(";" option)
    ///     stage   = "connect" / "mail" / "rcpt" / "data" / "http"
    ///     fault   = code / "drop" / "drop-after" / "stall"
    ///     option  = "retry-after=" time / "status=" enhanced-code / "text=" words
    ///
    /// A fault without a stage goes to the usual stage of its code: `data` for 552 and 554, `rcpt` for the other codes of
    /// SMTP (421, 450 to 459, 521, 530 to 539, 550 to 559), `http` for all others, and both `data` and `http` for one
    /// without a code.
    /// - Throws: `SinkError` that names the rule and what is wrong with it.
    package init(parsing text: String) throws(SinkError) {
        self.init()
        for rule in text.split(separator: ",") {
            try add(rule)
        }
    }

    private mutating func add(_ text: Substring) throws(SinkError) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmed)
        guard let head = parts.first, let equals = head.firstIndex(of: "=") else {
            throw SinkError("'\(text)' is no rule: write a fault and its share, such as 550=0.05")
        }
        var name = head[..<equals]
        guard let share = Double(head[head.index(after: equals)...]), share >= 0, share <= 1 else {
            throw SinkError("'\(text)': the share has to be a number from 0 to 1, such as 0.05")
        }
        var stage: Stage?
        if let colon = name.firstIndex(of: ":") {
            stage = Stage(rawValue: String(name[..<colon]))
            guard stage != nil else {
                let known = Stage.allCases.map(\.rawValue).joined(separator: ", ")
                throw SinkError("'\(text)': no stage '\(name[..<colon])'; the stages are \(known)")
            }
            name = name[name.index(after: colon)...]
        }
        let options = try FaultOptions(parts.dropFirst(), of: text)
        if let code = Int(name) {
            try add(code: code, at: stage ?? Self.home(of: code), share: share, options: options, text: text)
        } else {
            try add(named: name, at: stage, share: share, options: options, text: text)
        }
    }

    private mutating func add(
        code: Int, at stage: Stage, share: Double, options: FaultOptions, text: Substring
    ) throws(SinkError) {
        guard (400...599).contains(code) else {
            throw SinkError("'\(text)': \(code) is no refusal; the codes are 400 to 599")
        }
        if stage == .http {
            guard options.status == nil else { throw SinkError("'\(text)': status= belongs to SMTP") }
            try insert(.http(code, text: options.text, retryAfter: options.retryAfter), at: stage, share, text)
        } else {
            guard options.retryAfter == nil else { throw SinkError("'\(text)': retry-after= belongs to HTTP") }
            try insert(.smtp(code, status: options.status, text: options.text), at: stage, share, text)
        }
    }

    private mutating func add(
        named name: Substring, at stage: Stage?, share: Double, options: FaultOptions, text: Substring
    ) throws(SinkError) {
        guard options == FaultOptions() else { throw SinkError("'\(text)': a fault without a response takes no option") }
        let stages = stage.map { [$0] } ?? [.data, .http]
        for stage in stages {
            switch name {
            case "drop": try insert(.drop, at: stage, share, text)
            case "stall": try insert(.stall, at: stage, share, text)
            case "drop-after":
                guard stage == .data || stage == .http else {
                    throw SinkError("'\(text)': no message is there to be taken before the stage data")
                }
                try insert(.dropAfter, at: stage, share, text)
            default:
                throw SinkError("'\(text)': no fault '\(name)'; the faults are a code, drop, drop-after and stall")
            }
        }
    }

    private mutating func insert(
        _ fault: Fault, at stage: Stage, _ share: Double, _ text: Substring
    ) throws(SinkError) {
        let limit = (self[stage].last?.limit ?? 0) + share
        // A little above 1, for shares such as 0.1 that no binary fraction equals.
        guard limit <= 1.000_000_001 else {
            throw SinkError("'\(text)': the shares of the stage \(stage.rawValue) add up to more than 1")
        }
        self[stage].append(Rule(limit: limit, fault: fault))
    }

    static func home(of code: Int) -> Stage {
        switch code {
        case 552, 554: .data
        case 421, 450...459, 521, 530...539, 550...559: .rcpt
        default: .http
        }
    }
}
