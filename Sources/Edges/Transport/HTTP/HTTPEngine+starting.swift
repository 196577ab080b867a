import CCurl
import DequeModule
import Model
import NIOCore

/// Which messages start, and when: as connections are free, and as the limit allows.
extension HTTPEngine {
    /// Begins messages while there is room.
    func begin() {
        beginArmed()
        while hasRoom, let job = jobs.first {
            guard case .begin(let index, let moment) = job.beginNext() else {
                jobs.removeFirst()
                finishIfDone(job)
                continue
            }
            // The last of a group leaves the queue at once, so that `finishIfDone` is its last sight of it.
            if job.isWhollyStarted { jobs.removeFirst() }
            if let moment {
                arm(Armed(moment: moment, job: job, index: index))
            } else {
                begin(job, index)
            }
        }
    }

    func begin(_ job: HTTPJob, _ index: Int) {
        guard let transfer = idle.popLast() ?? addTransfer() else { return response(job, index, HTTPResponseReader.noMemory) }
        transfer.begin(job, index)
        curl_multi_add_handle(multi, transfer.handle)
    }

    func arm(_ message: Armed) {
        armed.insert(message, at: armed.firstIndex { $0.moment <= message.moment } ?? armed.endIndex)
    }

    /// Begins the messages whose moment has come.
    func beginArmed() {
        while let message = armed.last, message.moment <= MonotonicClock.now() {
            armed.removeLast()
            if isHeld, active == 0, let failure = health.lastFailure {
                response(message.job, message.index, failure.response)
                continue
            }
            guard message.job.submission.mayStart() else {
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

    func addTransfer() -> HTTPTransfer? {
        let transfer = makeTransfer()
        if let transfer { transfers.append(transfer) }
        return transfer
    }

    func makeTransfer() -> HTTPTransfer? {
        guard let transfer = HTTPTransfer(shape, provider) else { return nil }
        let owner = Unmanaged.passUnretained(self).toOpaque()
        flotilla_curl_on_sockets(transfer.handle, socketOpens, socketCloses, owner)
        return transfer
    }

    func begin(_ probe: CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>) {
        guard !isClosing, let transfer = makeTransfer() else {
            probe.resume(returning: .failure(isClosing ? .closed : Self.unusable(provider, "libcurl has no memory")))
            return
        }
        if isHeld, let failure = health.lastFailure { return probe.resume(returning: .failure(failure.error)) }
        transfer.connectOnly()
        probes[ObjectIdentifier(transfer)] = Probe(transfer: transfer, continuation: probe)
        curl_multi_add_handle(multi, transfer.handle)
    }
}
