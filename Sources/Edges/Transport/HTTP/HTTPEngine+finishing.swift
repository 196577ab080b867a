import CCurl
import DequeModule
import Model
import NIOCore

/// What becomes of a message: its response, a failure, or a response that is late.
extension HTTPEngine {
    /// Takes what libcurl has finished, and what has taken too long.
    /// - Returns: whether there was anything, and so room.
    func harvest() -> Bool {
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

    func finish(_ transfer: HTTPTransfer, _ result: CURLcode) {
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
    func note(_ response: ProviderResponse?, _ error: TransportError?) {
        guard let response, let error else { return health.connected() }
        health.failed((response, error), at: .now(), jitter: .random(in: 0...1), fleet: fleet())
    }

    /// There is no connection: all who wait for one learn why.
    func refuseWaiting(_ failure: ProviderResponse) {
        let waiting = jobs
        jobs.removeAll()
        for job in waiting {
            job.refuse(failure)
            finishIfDone(job)
        }
    }

    func finish(_ transfer: HTTPTransfer, _ given: ProviderResponse?) {
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

    func response(_ job: HTTPJob, _ index: Int, _ given: ProviderResponse?) {
        job.response(index, given)
        finishIfDone(job)
    }

    func finishIfDone(_ job: HTTPJob) {
        guard job.isDone else { return }
        metrics.record(
            job.tally, newlyOpened: opened - openedRecorded, open: opened - closed, inFlight: active)
        openedRecorded = opened
        job.finish()
    }

    /// Ends requests whose responses have taken longer than the provider's `timeout`. libcurl's own limit would count from
    /// before the connection and costs an entry in its timers a request.
    func endOverdue() -> Bool {
        let now = MonotonicClock.now()
        guard now >= nextTimeoutCheck, active + lateCount > 0 else { return false }
        nextTimeoutCheck = now + checkInterval
        let responseTime = provider.responseTime.nanoseconds
        var hasAny = false
        for transfer in transfers where transfer.job != nil {
            guard let began = transfer.began, now - began > responseTime else {
                if let began = transfer.began, now - began > SlowResponses.lateAfter, detach(transfer) { hasAny = true }
                continue
            }
            finish(transfer, HTTPResponseReader.overdue(transfer, provider, responses, messageID: messageID))
            hasAny = true
        }
        return hasAny
    }

    /// The response to a message is late: its group continues without it, and another message takes its place.
    func detach(_ transfer: HTTPTransfer) -> Bool {
        guard transfer.late == nil, let job = transfer.job, job.group.detach != nil, slow.mayWait(beside: lateCount) else { return false }
        transfer.late = job.detach(transfer.index)
        lateCount += 1
        finishIfDone(job)
        return true
    }

    /// Nanoseconds between two looks for overdue responses: a tenth of the time they have, from 10 ms to a quarter second.
    var checkInterval: Int64 {
        min(max(provider.responseTime.nanoseconds / 10, 10_000_000), 250_000_000)
    }
}
