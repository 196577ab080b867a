import CCurl
import DequeModule
import Glibc
import Model
import NIOCore
import Policy

/// Runs the requests of one transport over libcurl's multi interface. It lives and ends on one thread.
final class HTTPEngine {
    private let provider: Provider
    private let shape: HTTPRequestTemplate
    private let queue: HTTPCommandQueue
    private let metrics: HTTPMetrics
    private let fleet: @Sendable () -> Int
    private var health = HTTPConnectionHealth()
    /// Messages whose responses are waited for apart from their groups.
    private var lateCount = 0
    private var slow: SlowResponses
    /// Where a JSON response has the message's id; nil where the provider's configuration names no place.
    private let messageID: JSONPath?
    private let responses: ResponseTable
    private let multi: UnsafeMutableRawPointer
    private var poll: SocketPoll
    /// All transfers made so far, at most one a connection; those not on their way are in `idle` too.
    private var transfers: [HTTPTransfer] = []
    private var idle: [HTTPTransfer] = []
    private var probes: [ObjectIdentifier: Probe] = [:]
    /// Messages that wait for their moment, each of which has its connection already; the next one last.
    private var armed: [Armed] = []
    /// Groups with messages that were not started, in the order in which they came.
    private var jobs: Deque<HTTPJob> = []
    private var isClosing = false
    /// When libcurl wants to be called though no socket is ready, by `MonotonicClock`.
    private var due: Int64?
    private var nextTimeoutCheck: Int64 = 0
    private var opened = 0
    private var closed = 0
    private var openedRecorded = 0

    private struct Armed {
        var moment: Int64
        let job: HTTPJob
        let index: Int
    }

    private struct Probe {
        let transfer: HTTPTransfer
        let continuation: CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>
    }

    /// - Throws: `TransportError` where the provider's settings cannot be used or the system has no descriptors left.
    init(
        provider: Provider, responses: ResponseTable, queue: HTTPCommandQueue, metrics: HTTPMetrics,
        fleet: @escaping @Sendable () -> Int
    ) throws(TransportError) {
        self.fleet = fleet
        slow = SlowResponses(connections: max(provider.connections, 1), atMost: provider.lateConnections)
        self.provider = provider
        self.queue = queue
        self.metrics = metrics
        self.responses = responses
        messageID = provider.messageID.map(JSONPath.init)
        shape = try HTTPRequestTemplate(provider)
        guard LibCurl.isReady, let multi = curl_multi_init() else {
            throw Self.unusable(provider, "libcurl has no memory")
        }
        self.multi = multi
        do {
            poll = try SocketPoll()
        } catch {
            curl_multi_cleanup(multi)
            throw Self.unusable(provider, error.description)
        }
        guard queue.bell >= 0 else {
            curl_multi_cleanup(multi)
            throw Self.unusable(provider, "no descriptor for an eventfd is left")
        }
        poll.watch(queue.bell, for: CURL_POLL_IN)
        let owner = Unmanaged.passUnretained(self).toOpaque()
        flotilla_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, limit)
        // One request at a time on an HTTP/2 connection. Sharing one fails in libcurl 7.88: when a provider winds a
        // connection up (GOAWAY; nginx does after 1,000 requests), it sends the requests behind it over and over, and
        // gives up some that the provider never saw, so that nobody knows which arrived.
        flotilla_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        flotilla_curl_multi_on_socket(multi, socketChanges, owner)
        flotilla_curl_multi_on_timer(multi, timerChanges, owner)
    }

    private static func unusable(_ provider: Provider, _ what: String) -> TransportError {
        TransportError(
            description: "provider '\(provider.name)': \(what); free memory or raise the limit of open files",
            action: .reconnect, stage: .connect)
    }

    /// Requests on their way at most.
    private var limit: Int { max(provider.connections, 1) }
    private var active: Int { transfers.count - idle.count - lateCount }
    private var hasRoom: Bool { active + armed.count < (health.isInDoubt ? 1 : limit) && !isHeld }
    /// No connection is tried for now.
    private var isHeld: Bool { health.isHeld(at: .now()) }

    /// Serves until the queue is closed and each message that was started has its response, then closes all connections. It is called once.
    func run() {
        // libcurl's order: the handles, then their multi handle, which closes the connections by our callbacks.
        defer {
            transfers = []
            idle = []
            curl_multi_cleanup(multi)
        }
        while true {
            accept(queue.take())
            repeat {
                begin()
                runDue()
            } while harvest() && !jobs.isEmpty
            if isClosing, active + lateCount == 0, armed.isEmpty, probes.isEmpty { return }
            wait()
        }
    }

    private func accept(_ commands: HTTPCommandQueue.Commands) {
        if commands.isClosing { isClosing = true }
        for submission in commands.submissions { jobs.append(HTTPJob(submission)) }
        for probe in commands.probes { begin(probe) }
        guard isClosing else { return }
        for job in jobs {
            job.stop()
            finishIfDone(job)
        }
        jobs.removeAll()
        let waiting = armed
        armed.removeAll()
        for message in waiting { response(message.job, message.index, nil) }
        if commands.isAborting { abort() }
    }

    /// Ends what is under way.
    private func abort() {
        for probe in probes.values {
            probe.transfer.leavesQuickly()
            curl_multi_remove_handle(multi, probe.transfer.handle)
            probe.continuation.resume(returning: .failure(.closed))
        }
        probes = [:]
        for transfer in transfers where transfer.job != nil {
            transfer.leavesQuickly()
            finish(transfer, HTTPResponseReader.cut(transfer, provider, responses, messageID: messageID))
        }
    }

    /// Begins messages while there is room.
    private func begin() {
        beginArmed()
        while hasRoom, let job = jobs.first {
            guard case .begin(let index, let moment) = job.beginNext() else {
                jobs.removeFirst()
                finishIfDone(job)
                continue
            }
            // The last of a group leaves the queue at once, so that `finishIfDone` is its last sight of it.
            if job.isWholyBegun { jobs.removeFirst() }
            if let moment {
                arm(Armed(moment: moment, job: job, index: index))
            } else {
                begin(job, index)
            }
        }
    }

    private func begin(_ job: HTTPJob, _ index: Int) {
        guard let transfer = idle.popLast() ?? addTransfer() else { return response(job, index, HTTPResponseReader.noMemory) }
        transfer.begin(job, index)
        curl_multi_add_handle(multi, transfer.handle)
    }

    private func arm(_ message: Armed) {
        armed.insert(message, at: armed.firstIndex { $0.moment <= message.moment } ?? armed.endIndex)
    }

    /// Begins the messages whose moment has come.
    private func beginArmed() {
        while let message = armed.last, message.moment <= MonotonicClock.now() {
            armed.removeLast()
            if isHeld, active == 0, let failure = health.lastFailure {
                response(message.job, message.index, failure.response)
                continue
            }
            guard message.job.submission.mayBegin() else {
                response(message.job, message.index, nil)
                continue
            }
            guard let limit = message.job.group.limit, !limit.use(message.moment), limit.isActive else {
                begin(message.job, message.index)
                continue
            }
            switch limit.next() {
            case .now: begin(message.job, message.index)
            case .at(let moment): arm(Armed(moment: moment, job: message.job, index: message.index))
            case .none: response(message.job, message.index, nil)
            }
        }
    }

    private func addTransfer() -> HTTPTransfer? {
        let transfer = makeTransfer()
        if let transfer { transfers.append(transfer) }
        return transfer
    }

    private func makeTransfer() -> HTTPTransfer? {
        guard let transfer = HTTPTransfer(shape, provider) else { return nil }
        let owner = Unmanaged.passUnretained(self).toOpaque()
        flotilla_curl_on_sockets(transfer.handle, socketOpens, socketCloses, owner)
        return transfer
    }

    private func begin(_ probe: CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>) {
        guard !isClosing, let transfer = makeTransfer() else {
            probe.resume(returning: .failure(isClosing ? .closed : Self.unusable(provider, "libcurl has no memory")))
            return
        }
        if isHeld, let failure = health.lastFailure { return probe.resume(returning: .failure(failure.error)) }
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
            let failure = result == CURLE_OK ? nil : HTTPResponseReader.cannotConnect(transfer, result, provider)
            note(failure.map { ProviderResponse(action: $0.action, stage: $0.stage, code: 0, text: $0.description) }, failure)
            curl_multi_remove_handle(multi, transfer.handle)
            probe.continuation.resume(returning: failure.map(Result.failure) ?? .success(.http))
        } else {
            let response = HTTPResponseReader.of(transfer, result, provider, responses, messageID: messageID)
            let isUnsent = transfer.began == nil && response.code == 0
            health.answered(response)
            note(isUnsent ? response : nil, isUnsent ? HTTPResponseReader.cannotConnect(transfer, result, provider) : nil)
            finish(transfer, response)
            if isUnsent, active == 0, let failure = health.lastFailure { refuseWaiting(failure.response) }
        }
    }

    /// Learns whether connections can be had.
    /// - Parameters:
    ///   - response: the failure as a response; nil where there is a connection.
    ///   - error: the same for `prepare`.
    private func note(_ response: ProviderResponse?, _ error: TransportError?) {
        guard let response, let error else { return health.connected() }
        health.failed((response, error), at: .now(), jitter: .random(in: 0...1), fleet: fleet())
    }

    /// There is no connection: all who wait for one learn why.
    private func refuseWaiting(_ failure: ProviderResponse) {
        let waiting = jobs
        jobs.removeAll()
        for job in waiting {
            job.refuse(failure)
            finishIfDone(job)
        }
    }

    private func finish(_ transfer: HTTPTransfer, _ given: ProviderResponse?) {
        curl_multi_remove_handle(multi, transfer.handle)
        guard let job = transfer.job else { return }
        let index = transfer.index
        let late = transfer.late
        transfer.end()
        if late != nil { lateCount -= 1 }
        idle.append(transfer)
        if let late { return late.resolve(given) }
        slow.answered(1)
        response(job, index, given)
    }

    private func response(_ job: HTTPJob, _ index: Int, _ given: ProviderResponse?) {
        job.response(index, given)
        finishIfDone(job)
    }

    private func finishIfDone(_ job: HTTPJob) {
        guard job.isDone else { return }
        metrics.record(
            job.tally, newlyOpened: opened - openedRecorded, open: opened - closed, inFlight: active)
        openedRecorded = opened
        job.finish()
    }

    /// Ends requests whose responses have taken longer than the provider's `timeout`. libcurl's own limit would count from
    /// before the connection and costs an entry in its timers a request.
    private func endOverdue() -> Bool {
        let now = MonotonicClock.now()
        guard now >= nextTimeoutCheck, active + lateCount > 0 else { return false }
        nextTimeoutCheck = now + checkInterval
        var hasAny = false
        for transfer in transfers where transfer.job != nil {
            guard let began = transfer.began, now - began > MonotonicClock.nanoseconds(provider.responseTime) else {
                if let began = transfer.began, now - began > SlowResponses.patience, detach(transfer) { hasAny = true }
                continue
            }
            finish(transfer, HTTPResponseReader.overdue(transfer, provider, responses, messageID: messageID))
            hasAny = true
        }
        return hasAny
    }

    /// The response to a message is late: its group goes on without it, and another message takes its place.
    private func detach(_ transfer: HTTPTransfer) -> Bool {
        guard transfer.late == nil, let job = transfer.job, job.group.detach != nil, slow.mayWait(beside: lateCount) else { return false }
        transfer.late = job.detach(transfer.index)
        lateCount += 1
        finishIfDone(job)
        return true
    }

    /// Nanoseconds between two looks for overdue responses: a tenth of the time they have, from 10 ms to a quarter second.
    private var checkInterval: Int64 {
        min(max(MonotonicClock.nanoseconds(provider.responseTime) / 10, 10_000_000), 250_000_000)
    }

    /// Sleeps until a socket is ready, libcurl's timer is due, or the bell rings.
    private func wait() {
        var until = due
        if active + lateCount > 0 { until = min(until ?? .max, nextTimeoutCheck) }
        if isHeld { until = min(until ?? .max, health.heldUntil.nanoseconds) }
        if let moment = armed.last?.moment { until = min(until ?? .max, moment) }
        var nanoseconds: Int64? = until.map { max($0 - MonotonicClock.now(), 0) }
        if nanoseconds != 0, !queue.fallAsleep(hasRoom: hasRoom, knowsClosing: isClosing) { nanoseconds = 0 }
        for place in 0..<poll.wait(nanoseconds: nanoseconds) {
            let (socket, mask) = poll.ready(place)
            if socket == queue.bell {
                queue.quietBell()
            } else if mask != 0 {
                act(socket, mask)
            }
        }
    }

    // What libcurl calls.

    func watch(_ socket: Int32, for what: Int32) { poll.watch(socket, for: what) }

    func setTimer(milliseconds: Int) {
        due = milliseconds < 0 ? nil : MonotonicClock.now() + Int64(milliseconds) * 1_000_000
    }

    func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        let socket = socket(address.pointee.family, kind, address.pointee.protocol)
        if socket >= 0 {
            opened += 1
            poll.opened(socket)
        }
        return socket
    }

    func close(_ socket: Int32) -> Int32 {
        closed += 1
        poll.closed(socket)
        return Glibc.close(socket)
    }
}
