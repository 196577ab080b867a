import CCurl
import DequeModule
import Glibc
import Model

/// Runs the requests of one transport over libcurl's multi interface. It lives and ends on one thread.
final class HTTPEngine {
    private let provider: Provider
    private let shape: HTTPRequestShape
    private let inbox: HTTPInbox
    private let metrics: HTTPMetrics
    /// Where a JSON answer has the message's id; nil where nobody asked for it.
    private let messageID: JSONPath?
    private let multi: UnsafeMutableRawPointer
    private var poll: SocketPoll
    private var sharedLines: UnsafeMutablePointer<curl_slist>?
    /// All transfers made so far, at most one a connection; those not on their way are in `idle` too.
    private var transfers: [HTTPTransfer] = []
    private var idle: [HTTPTransfer] = []
    private var probes: [ObjectIdentifier: Probe] = [:]
    /// Groups with messages not begun, in the order in which they came.
    private var jobs: Deque<HTTPJob> = []
    private var isClosing = false
    /// When libcurl wants to be called though no socket is ready, by `MonotonicClock`.
    private var due: Int64?
    private var nextTimeoutCheck: Int64 = 0
    private var opened = 0
    private var closed = 0
    private var openedRecorded = 0

    private struct Probe {
        let transfer: HTTPTransfer
        let continuation: CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>
    }

    /// - Throws: `TransportError` where the provider's settings cannot be used or the system has no descriptors left.
    init(provider: Provider, inbox: HTTPInbox, metrics: HTTPMetrics) throws(TransportError) {
        self.provider = provider
        self.inbox = inbox
        self.metrics = metrics
        messageID = provider.messageID.map(JSONPath.init)
        shape = try HTTPRequestShape(provider)
        guard LibCurl.isReady, let multi = curl_multi_init() else { throw Self.unusable(provider, "libcurl has no memory") }
        self.multi = multi
        do {
            poll = try SocketPoll()
        } catch {
            curl_multi_cleanup(multi)
            throw Self.unusable(provider, error.description)
        }
        guard inbox.bell >= 0 else {
            curl_multi_cleanup(multi)
            throw Self.unusable(provider, "no descriptor for an eventfd is left")
        }
        for line in shape.lines { sharedLines = curl_slist_append(sharedLines, line) }
        poll.watch(inbox.bell, for: CURL_POLL_IN)
        let owner = Unmanaged.passUnretained(self).toOpaque()
        flotilla_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, limit)
        // One request at a time on an HTTP/2 connection. Sharing one fails in libcurl 7.88: when a provider winds a
        // connection up (GOAWAY; nginx does after 1,000 requests), it sends the requests behind it over and over, and
        // gives up some that the provider never saw, so that nobody knows which arrived.
        flotilla_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        flotilla_curl_multi_on_socket(multi, socketChanges, owner)
        flotilla_curl_multi_on_timer(multi, timerChanges, owner)
    }

    /// Cleans up in libcurl's order: handles, then their multi handle, which closes the connections, then their lines.
    deinit {
        for transfer in transfers where transfer.job != nil { curl_multi_remove_handle(multi, transfer.handle) }
        transfers = []
        idle = []
        curl_multi_cleanup(multi)
        curl_slist_free_all(sharedLines)
    }

    private static func unusable(_ provider: Provider, _ what: String) -> TransportError {
        TransportError(
            description: "provider '\(provider.name)': \(what); free memory or raise the limit of open files",
            kind: .unreachable, stage: .connect)
    }

    /// Requests on their way at most.
    private var limit: Int { max(provider.connections, 1) }
    private var active: Int { transfers.count - idle.count }
    private var hasRoom: Bool { active < limit }

    /// Serves until the inbox is closed and what was begun is answered.
    func run() {
        while true {
            accept(inbox.take())
            repeat {
                begin()
                runDue()
            } while harvest() && !jobs.isEmpty
            if isClosing, active == 0, probes.isEmpty { return }
            wait()
        }
    }

    private func accept(_ commands: HTTPInbox.Commands) {
        if commands.isClosing { isClosing = true }
        for submission in commands.submissions { jobs.append(HTTPJob(submission)) }
        for probe in commands.probes { begin(probe) }
        guard isClosing else { return }
        for job in jobs {
            job.stop()
            finishIfDone(job)
        }
        jobs.removeAll()
    }

    /// Begins messages while there is room.
    private func begin() {
        while hasRoom, let job = jobs.first {
            guard let index = job.beginNext() else {
                jobs.removeFirst()
                finishIfDone(job)
                continue
            }
            // The last of a group leaves the queue at once, so that `finishIfDone` is its last sight of it.
            if job.isWholyBegun { jobs.removeFirst() }
            guard let transfer = idle.popLast() ?? makeTransfer() else {
                answer(job, index, HTTPAnswer.noMemory)
                continue
            }
            transfer.begin(job, index)
            curl_multi_add_handle(multi, transfer.handle)
        }
    }

    private func makeTransfer() -> HTTPTransfer? {
        let transfer = HTTPTransfer(
            url: shape.url, sharedLines: sharedLines, provider: provider,
            engine: Unmanaged.passUnretained(self).toOpaque(), open: socketOpens, close: socketCloses)
        if let transfer { transfers.append(transfer) }
        return transfer
    }

    private func begin(_ probe: CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>) {
        guard !isClosing, let transfer = HTTPTransfer(
            url: shape.url, sharedLines: sharedLines, provider: provider,
            engine: Unmanaged.passUnretained(self).toOpaque(), open: socketOpens, close: socketCloses)
        else {
            probe.resume(returning: .failure(isClosing ? .closed : Self.unusable(provider, "libcurl has no memory")))
            return
        }
        transfer.connectOnly()
        probes[ObjectIdentifier(transfer)] = Probe(transfer: transfer, continuation: probe)
        curl_multi_add_handle(multi, transfer.handle)
    }

    /// Lets libcurl do what is due by its own timer; a request that was added is due at once.
    private func runDue() {
        guard let due, due <= MonotonicClock.now() else { return }
        self.due = nil
        act(CURL_SOCKET_TIMEOUT, 0)
    }

    private func act(_ socket: Int32, _ mask: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, mask, &running)
    }

    /// Takes what libcurl has finished, and what has taken too long.
    /// - Returns: whether there was anything, and so room.
    private func harvest() -> Bool {
        var hasAny = false
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            let result = message.pointee.data.result
            var owner: UnsafeMutableRawPointer?
            flotilla_curl_get_owner(handle, &owner)
            guard let owner else { continue }
            finish(Unmanaged<HTTPTransfer>.fromOpaque(owner).takeUnretainedValue(), result)
            hasAny = true
        }
        return endOverdue() || hasAny
    }

    private func finish(_ transfer: HTTPTransfer, _ result: CURLcode) {
        if let probe = probes.removeValue(forKey: ObjectIdentifier(transfer)) {
            let failure = result == CURLE_OK ? nil : HTTPAnswer.cannotConnect(transfer, result, provider)
            curl_multi_remove_handle(multi, transfer.handle)
            probe.continuation.resume(returning: failure.map(Result.failure) ?? .success(.http))
        } else {
            finish(transfer, HTTPAnswer.of(transfer, result, provider, messageID: messageID))
        }
    }

    private func finish(_ transfer: HTTPTransfer, _ given: Answer) {
        curl_multi_remove_handle(multi, transfer.handle)
        guard let job = transfer.job else { return }
        let index = transfer.index
        transfer.end()
        idle.append(transfer)
        answer(job, index, given)
    }

    private func answer(_ job: HTTPJob, _ index: Int, _ given: Answer) {
        job.answer(index, given)
        finishIfDone(job)
    }

    private func finishIfDone(_ job: HTTPJob) {
        guard job.isDone else { return }
        metrics.record(
            job.tally, newlyOpened: opened - openedRecorded, open: opened - closed, inFlight: active)
        openedRecorded = opened
        job.finish()
    }

    /// Ends requests whose answers have taken longer than the provider's `timeout`. libcurl's own limit would count from
    /// before the connection and costs an entry in its timers a request.
    private func endOverdue() -> Bool {
        let now = MonotonicClock.now()
        guard now >= nextTimeoutCheck, active > 0 else { return false }
        nextTimeoutCheck = now + checkInterval
        var hasAny = false
        for transfer in transfers where transfer.job != nil {
            guard let began = transfer.began, now - began > HTTPAnswer.nanoseconds(provider.timeout) else { continue }
            finish(transfer, HTTPAnswer.overdue(transfer, provider, messageID: messageID))
            hasAny = true
        }
        return hasAny
    }

    /// Nanoseconds between two looks for overdue answers: a tenth of the time they have, from 10 ms to a quarter second.
    private var checkInterval: Int64 {
        min(max(HTTPAnswer.nanoseconds(provider.timeout) / 10, 10_000_000), 250_000_000)
    }

    /// Sleeps until a socket is ready, libcurl's timer is due, or the bell rings.
    private func wait() {
        var until = due
        if active > 0 { until = min(until ?? .max, nextTimeoutCheck) }
        var milliseconds: Int32 = -1
        if let until {
            milliseconds = Int32(clamping: max(until - MonotonicClock.now() + 999_999, 0) / 1_000_000)
        }
        if milliseconds != 0, !inbox.fallAsleep(hasRoom: hasRoom, knowsClosing: isClosing) { milliseconds = 0 }
        for place in 0..<poll.wait(milliseconds: milliseconds) {
            let (socket, mask) = poll.ready(place)
            if socket == inbox.bell {
                inbox.quietBell()
            } else if mask != 0 {
                act(socket, mask)
            }
        }
    }

    // What libcurl calls.

    fileprivate func watch(_ socket: Int32, for what: Int32) { poll.watch(socket, for: what) }

    fileprivate func setTimer(milliseconds: Int) {
        due = milliseconds < 0 ? nil : MonotonicClock.now() + Int64(milliseconds) * 1_000_000
    }

    fileprivate func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        let socket = socket(address.pointee.family, kind, address.pointee.protocol)
        if socket >= 0 {
            opened += 1
            poll.opened(socket)
        }
        return socket
    }

    fileprivate func close(_ socket: Int32) -> Int32 {
        closed += 1
        poll.closed(socket)
        return Glibc.close(socket)
    }
}

private func engine(_ owner: UnsafeMutableRawPointer) -> HTTPEngine {
    Unmanaged<HTTPEngine>.fromOpaque(owner).takeUnretainedValue()
}

private let socketChanges: curl_socket_callback = { _, socket, what, owner, _ in
    if let owner { engine(owner).watch(socket, for: what) }
    return 0
}

private let timerChanges: curl_multi_timer_callback = { _, milliseconds, owner in
    if let owner { engine(owner).setTimer(milliseconds: milliseconds) }
    return 0
}

private let socketOpens: curl_opensocket_callback = { owner, _, address in
    guard let owner, let address else { return CURL_SOCKET_BAD }
    return engine(owner).open(address)
}

private let socketCloses: curl_closesocket_callback = { owner, socket in
    owner.map { engine($0).close(socket) } ?? Glibc.close(socket)
}

/// libcurl's state of the whole process, made at the first use.
private enum LibCurl {
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}

extension ProviderCapabilities {
    /// HTTP carries any byte and names no limit.
    fileprivate static let http = ProviderCapabilities(eightBitMIME: true, smtpUTF8: true, maximumSize: nil)
}
