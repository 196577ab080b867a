import Model
import Synchronization
import Text

/// Whether a process can work: named checks that its parts set.
package final class Readiness: Sendable {
    /// One check, as `/readyz` shows it.
    package struct Check: Sendable, Equatable {
        package let name: String
        package let ready: Bool
        /// What is missing; empty if the check is ready. Never a secret, since `/readyz` has no authentication.
        package let why: String
        /// When it became ready or not ready, in milliseconds since 1970.
        package let since: Int64
    }

    private let checks: Mutex<[String: Check]>
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - names: checks that are not ready until they are set.
    ///   - now: milliseconds since 1970.
    package init(waitingFor names: [String] = [], now: @escaping @Sendable () -> Int64 = { Clock.milliseconds() }) {
        let start = now()
        let waiting = names.map { ($0, Check(name: $0, ready: false, why: "starting", since: start)) }
        checks = Mutex(Dictionary(waiting, uniquingKeysWith: { first, _ in first }))
        self.now = now
    }

    /// Sets a check. `since` moves only when `ready` changes.
    package func set(_ name: String, ready: Bool, why: String = "") {
        checks.withLock { checks in
            let old = checks[name]
            let since = old?.ready == ready ? old?.since : nil
            checks[name] = Check(name: name, ready: ready, why: why, since: since ?? now())
        }
    }

    /// All checks, sorted by name.
    package var all: [Check] { checks.withLock { $0.values.sorted { $0.name < $1.name } } }

    package var isReady: Bool { checks.withLock { $0.values.allSatisfy(\.ready) } }
}

extension [Readiness.Check] {
    /// The body of `/readyz`.
    var json: String {
        let checks = map { check in
            "{\"name\":\(check.name.jsonString),\"ready\":\(check.ready),"
                + "\"since\":\"\(Timestamp.text(check.since))\",\"why\":\(check.why.jsonString)}"
        }
        return "{\"ready\":\(allSatisfy(\.ready)),\"checks\":[\(checks.joined(separator: ","))]}\n"
    }
}
