/// What a check of `flotilla doctor` found.
package struct Finding: Sendable, Equatable, Encodable {
    package enum Severity: String, Sendable, Encodable, Comparable, CaseIterable {
        case ok, warning, fault

        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    package let severity: Severity
    /// The check: `SPF`, `Redis`.
    package let check: String
    /// One sentence each; the last two are empty where nothing is wrong.
    package let what: String
    package let why: String
    package let advice: String

    package static func ok(_ check: String, _ what: String) -> Finding {
        Finding(severity: .ok, check: check, what: what, why: "", advice: "")
    }

    package static func warning(_ check: String, _ what: String, why: String, do advice: String) -> Finding {
        Finding(severity: .warning, check: check, what: what, why: why, advice: advice)
    }

    package static func fault(_ check: String, _ what: String, why: String, do advice: String) -> Finding {
        Finding(severity: .fault, check: check, what: what, why: why, advice: advice)
    }

    /// What could not be asked: nothing is known to be wrong.
    package static func unknown(_ check: String, _ what: String) -> Finding {
        warning(check, what, why: "it could not be checked", do: "check the servers of DNS and the network, or give more --timeout")
    }
}

/// One question of `flotilla doctor`, which answers whatever happens to the others.
package struct Check: Sendable {
    let run: @Sendable () async -> [Finding]

    package init(_ run: @escaping @Sendable () async -> [Finding]) { self.run = run }

    /// Runs checks at the same time. The findings stand in the order of the checks.
    package static func run(_ checks: [Check]) async -> [Finding] {
        await withTaskGroup(of: (Int, [Finding]).self) { group in
            for (place, check) in checks.enumerated() { group.addTask { (place, await check.run()) } }
            var found: [(Int, [Finding])] = []
            for await findings in group { found.append(findings) }
            return found.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }
}
