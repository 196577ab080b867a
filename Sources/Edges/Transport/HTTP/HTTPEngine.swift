import CCurl
import DequeModule
import Glibc
import Model
import NIOCore
import Policy

/// Runs the requests of one transport over libcurl's multi interface. It lives and ends on one thread.
final class HTTPEngine {
    let provider: Provider
    let shape: HTTPRequestTemplate
    private let queue: HTTPCommandQueue
    let metrics: HTTPMetrics
    let fleet: @Sendable () -> Int
    var health = HTTPConnectionHealth()
    /// Messages whose responses are waited for apart from their groups.
    var lateCount = 0
    var slow: SlowResponses
    /// Where a JSON response has the message's id; nil where the provider's configuration names no place.
    let messageID: JSONPath?
    let responses: ResponseTable
    let multi: UnsafeMutableRawPointer
    var poll: SocketPoll
    /// All transfers made so far, at most one a connection; those not on their way are in `idle` too.
    var transfers: [HTTPTransfer] = []
    var idle: [HTTPTransfer] = []
    var probes: [ObjectIdentifier: Probe] = [:]
    /// Messages that wait for their moment, each of which has its connection already; the next one last.
    var armed: [Armed] = []
    /// Groups with messages that were not started, in the order in which they came.
    var jobs: Deque<HTTPJob> = []
    var isClosing = false
    /// When libcurl wants to be called though no socket is ready, by `MonotonicClock`.
    var due: Int64?
    var nextTimeoutCheck: Int64 = 0
    var opened = 0
    var closed = 0
    var openedRecorded = 0

    struct Armed {
        var moment: Int64
        let job: HTTPJob
        let index: Int
    }

    struct Probe {
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

    static func unusable(_ provider: Provider, _ what: String) -> TransportError {
        TransportError(
            description: "provider '\(provider.name)': \(what); free memory or raise the limit of open files",
            action: .reconnect, stage: .connect)
    }

    /// Requests on their way at most.
    var limit: Int { max(provider.connections, 1) }
    var active: Int { transfers.count - idle.count - lateCount }
    var hasRoom: Bool { active + armed.count < (health.isInDoubt ? 1 : limit) && !isHeld }
    /// No connection is tried for now.
    var isHeld: Bool { health.isHeld(at: .now()) }

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
}
