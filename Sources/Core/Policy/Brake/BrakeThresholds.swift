/// The shares at which the brake warns and pauses.
package struct BrakeLimit: Sendable, Equatable {
    /// In thousandths of a percent; nil for never.
    package var warn: Int?
    package var pause: Int?

    package init(warn: Int? = nil, pause: Int? = nil) {
        self.warn = warn
        self.pause = pause
    }

    /// Reads `0.5/1`, `0.5/off` or `off`: warn and pause, in percent with at most three decimals.
    /// - Returns: nil for another text, a share that is not above 0 and at most 100, and a pause below its warning.
    package init?(_ text: String) {
        guard text != "off" else {
            self.init()
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let warn = Self.share(parts[0]), let pause = Self.share(parts[1]) else { return nil }
        self.init(warn: warn > 0 ? warn : nil, pause: pause > 0 ? pause : nil)
        if let warn = self.warn, let pause = self.pause, pause < warn { return nil }
    }

    /// - Returns: 0 for `off`; nil for what is no share.
    private static func share(_ text: Substring) -> Int? {
        guard text != "off" else { return 0 }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }), parts[0].utf8.count <= 3,
            let whole = Int(parts[0]), parts.count == 1 || (1...3).contains(parts[1].utf8.count)
        else { return nil }
        let decimals = parts.count == 1 ? "" : parts[1]
        guard let thousandths = Int(decimals + String(repeating: "0", count: 3 - decimals.utf8.count)) else { return nil }
        let share = whole * 1000 + thousandths
        return (1...100_000).contains(share) ? share : nil
    }

    /// A share in percent, as `0.15`.
    package static func percent(_ share: Int) -> String {
        var decimals = String(String(1000 + share % 1000).dropFirst())
        while decimals.last == "0" { decimals.removeLast() }
        return "\(share / 1000)" + (decimals.isEmpty ? "" : ".\(decimals)")
    }
}

/// When complaints and hard bounces warn of a mailing, and when they pause it.
package struct BrakeThresholds: Sendable, Equatable {
    package var complaintsHour = BrakeLimit(warn: 500, pause: 1_000)
    package var complaintsDay = BrakeLimit(warn: 150, pause: 300)
    package var bouncesHour = BrakeLimit(warn: 5_000, pause: 10_000)
    package var bouncesDay = BrakeLimit(warn: 2_500, pause: 5_000)
    /// Fewer messages that a provider took, or fewer complaints or bounces, say nothing.
    package var leastSent = 200
    package var leastEvents = 5

    package init() {}

    package subscript(_ kind: BrakeFinding.Kind, _ window: BrakeFinding.Window) -> BrakeLimit {
        switch (kind, window) {
        case (.complaints, .hour): complaintsHour
        case (.complaints, .day): complaintsDay
        case (.bounces, .hour): bouncesHour
        case (.bounces, .day): bouncesDay
        }
    }

    /// Nothing is ever found.
    package var isOff: Bool {
        BrakeFinding.Kind.allCases.allSatisfy { kind in BrakeFinding.Window.allCases.allSatisfy { self[kind, $0] == BrakeLimit() } }
    }
}
