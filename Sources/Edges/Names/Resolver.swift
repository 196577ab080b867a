package import Authentication
import CUnbound
import Dispatch
import Synchronization
import Text

/// Asks DNS by libunbound. Each question ends in time, whatever servers do; what they say is bounded and decoded, and not trusted.
package final class Resolver: NameLookup {
    /// Everything that calls libunbound, one after the other.
    private let queue = DispatchQueue(label: "flotilla.names")
    private nonisolated(unsafe) let source: any DispatchSourceRead
    /// libunbound's context, used on the queue alone.
    private nonisolated(unsafe) let context: OpaquePointer
    private let timeout: Duration
    private let deadline: DispatchTime
    private let known = Mutex<[Question: NameAnswer]>([:])

    private struct Question: Hashable {
        var name: String
        var kind: RecordKind
    }

    /// Questions are asked in full: names with a dot at the end.
    /// - Parameters:
    ///   - server: `ADDRESS` or `ADDRESS:PORT`; nil for those of `/etc/resolv.conf`.
    ///   - timeout: of one question.
    ///   - total: after which no question is waited for, from now.
    /// - Throws: `ResolverError`.
    package init(server: String?, timeout: Duration, total: Duration) throws(ResolverError) {
        guard let context = ub_ctx_create() else { throw ResolverError(description: "libunbound has no memory") }
        // Without a log, and with answers for names that only a private network has, as its own servers know them.
        var options = ["module-config:": "iterator", "do-not-query-localhost:": "no", "unblock-lan-zones:": "yes", "use-syslog:": "no"]
        options["qname-minimisation:"] = "no"
        for (name, value) in options { ub_ctx_set_option(context, name, value) }
        ub_ctx_debuglevel(context, 0)
        ub_ctx_debugout(context, nil)
        let code: Int32
        if let server {
            guard let place = Self.place(server) else {
                ub_ctx_delete(context)
                throw ResolverError(description: "'\(server)' is no server of DNS: write an address, with a port as 127.0.0.1:5353")
            }
            code = ub_ctx_set_fwd(context, place)
        } else {
            code = ub_ctx_resolvconf(context, nil)
        }
        guard code == 0 else {
            ub_ctx_delete(context)
            throw ResolverError(description: "the servers of DNS cannot be set: \(String(cString: ub_strerror(code)))")
        }
        ub_ctx_async(context, 1)
        self.context = context
        self.timeout = timeout
        deadline = .now() + .nanoseconds(Int(clamping: total.nanosecondsClamped))
        source = DispatchSource.makeReadSource(fileDescriptor: ub_fd(context), queue: queue)
        nonisolated(unsafe) let handled = context
        source.setEventHandler { ub_process(handled) }
        // The context may not be removed while the source reads from it.
        source.setCancelHandler { ub_ctx_delete(handled) }
        source.activate()
    }

    deinit { source.cancel() }

    package func answer(_ name: String, _ kind: RecordKind) async -> NameAnswer {
        let name = (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
        // A name of a record that is none is not asked for (RFC 1035 section 2.3.4).
        let isName = name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { 1...63 ~= $0.utf8.count }
        guard isName, name.utf8.count <= 253, name.utf8.allSatisfy({ 0x21...0x7e ~= $0 && $0 != UInt8(ascii: "\\") }) else { return .none }
        let question = Question(name: name, kind: kind)
        if let answer = known.withLock({ $0[question] }) { return answer }
        let answer = await withCheckedContinuation { continuation in
            queue.async { self.start(question, Query(continuation)) }
        }
        known.withLock { $0[question] = answer }
        return answer
    }

    private func start(_ question: Question, _ query: Query) {
        guard DispatchTime.now() < deadline else { return query.end(.failed("the time for all checks has passed")) }
        let owner = Unmanaged.passRetained(query)
        var id: Int32 = 0
        // The class is IN (RFC 1035 section 3.2.4).
        let code = ub_resolve_async(
            context, question.name + ".", question.kind.rawValue, 1, owner.toOpaque(),
            { owner, error, result in
                guard let owner else { return }
                Unmanaged<Query>.fromOpaque(owner).takeRetainedValue().end(NameAnswer(error, result))
                ub_resolve_free(result)
            }, &id)
        guard code == 0 else {
            owner.release()
            return query.end(.failed(String(cString: ub_strerror(code))))
        }
        let limit = min(deadline, .now() + .nanoseconds(Int(clamping: timeout.nanosecondsClamped)))
        queue.asyncAfter(deadline: limit) { [id] in
            guard !query.hasEnded else { return }
            query.end(.failed("no server of DNS has answered in time"))
            // Its callback is not called any more.
            if ub_cancel(self.context, id) == 0 { owner.release() }
        }
    }

    /// libunbound has an at sign before the port.
    private static func place(_ text: String) -> String? {
        if IPNetwork(text) != nil, !text.contains("/") { return text }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
        let host = text[..<colon].replacing("[", with: "").replacing("]", with: "")
        return IPNetwork(host) == nil || host.contains("/") ? nil : "\(host)@\(port)"
    }
}

/// A question that waits for its answer; the first answer counts.
private final class Query: Sendable {
    private let waiting: Mutex<CheckedContinuation<NameAnswer, Never>?>

    init(_ continuation: CheckedContinuation<NameAnswer, Never>) { waiting = Mutex(continuation) }

    var hasEnded: Bool { waiting.withLock { $0 == nil } }

    func end(_ answer: NameAnswer) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: answer)
    }
}

package struct ResolverError: Error, CustomStringConvertible {
    package let description: String
}

extension Duration {
    fileprivate var nanosecondsClamped: Int64 {
        components.seconds > 1_000_000 ? 1_000_000_000_000_000 : components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
