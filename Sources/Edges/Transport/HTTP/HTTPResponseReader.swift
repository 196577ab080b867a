import CCurl
import Glibc
import Model
import Policy
import Text

/// Makes responses of what libcurl tells about a request that ended.
enum HTTPResponseReader {
    static let noMemory = ProviderResponse(action: .reconnect, stage: .connect, code: 0, text: "libcurl has no memory")

    /// The response of a request that ended with `result`. Where a final status came, it decides, also when the rest of
    /// the response was lost or too long: the provider has said what it did with the message.
    static func of(
        _ transfer: HTTPTransfer, _ result: CURLcode, _ provider: Provider, _ responses: ResponseTable, messageID: JSONPath?
    ) -> ProviderResponse {
        guard let status = status(of: transfer) else { return failure(transfer, result, provider) }
        // Most bodies of acceptances are not looked at.
        if 200...299 ~= status, !responses.doubtsAcceptance { return accepted(transfer, status, messageID) }
        let retryAfter = retryAfter(of: transfer)
        let body = HTTPErrorText.withoutMark(transfer.body)
        let reason = HTTPErrorText.reason(in: body)
        // The reason is where refusals have it. What a 2xx says of an error may stand anywhere.
        let isSuccess = 200...299 ~= status
        var response = responses.response(
            .http,
            ResponseFacts(
                code: status, text: isSuccess ? HTTPErrorText.all(of: body) : reason, hasRetryAfter: retryAfter != nil,
                member: { JSONPath($0).text(in: body) }))
        response.text = reason
        if response.action == .accept { return accepted(transfer, status, messageID) }
        response.retryAfter = retryAfter
        response.hasProviderFailed = response.action == .retry && 500...599 ~= status
        return response
    }

    private static func accepted(_ transfer: HTTPTransfer, _ status: Int, _ messageID: JSONPath?) -> ProviderResponse {
        let id = messageID?.text(in: transfer.body)
        return ProviderResponse(
            .accepted, .accept, about: .unclear, stage: .response, code: status, text: "",
            messageID: id.map { SingleLine.clean($0.utf8, longest: HTTPErrorText.longest) } ?? "")
    }

    /// The response of a request that got none within the provider's time.
    static func overdue(
        _ transfer: HTTPTransfer, _ provider: Provider, _ responses: ResponseTable, messageID: JSONPath?
    ) -> ProviderResponse {
        of(transfer, CURLE_OPERATION_TIMEDOUT, provider, responses, messageID: messageID)
    }

    /// The response of a request that we end ourselves; nil where nothing of it was sent.
    static func cut(
        _ transfer: HTTPTransfer, _ provider: Provider, _ responses: ResponseTable, messageID: JSONPath?
    ) -> ProviderResponse? {
        guard status(of: transfer) == nil else {
            return of(transfer, CURLE_ABORTED_BY_CALLBACK, provider, responses, messageID: messageID)
        }
        guard transfer.mayHaveArrived else { return nil }
        return ProviderResponse(missed: .workerEnded, stage: .response, text: "cut short by our own stop; it may have arrived")
    }

    /// Why no connection could be had, and what to do.
    static func cannotConnect(_ transfer: HTTPTransfer, _ result: CURLcode, _ provider: Provider) -> TransportError {
        let response = failure(transfer, result, provider)
        let advice =
            switch (response.action, response.stage) {
            case (.pauseMailing, .auth): "use `https://`, or leave out user name and keys"
            case (.pauseMailing, .tls):
                certificateProblem(transfer, result)?.advice ?? "check the provider's host name and its `ca_file`"
            case (_, .tls): "check that the port speaks TLS"
            default: "check its host and port, and that it runs and can be reached from here"
            }
        return TransportError(
            description: "provider '\(provider.name)': \(response.text); \(advice)", action: response.action,
            stage: response.stage)
    }

    /// The final status; nil where none came.
    private static func status(of transfer: HTTPTransfer) -> Int? {
        var status = 0
        flotilla_curl_get_long(transfer.handle, CURLINFO_RESPONSE_CODE, &status)
        return status >= 200 ? status : nil
    }

    private static func retryAfter(of transfer: HTTPTransfer) -> Double? {
        var header: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(transfer.handle, "Retry-After", 0, UInt32(CURLH_HEADER), -1, &header) == CURLHE_OK,
            let value = header?.pointee.value
        else { return nil }
        return RetryAfter.seconds(String(cString: value).utf8, now: Double(Clock.milliseconds() / 1000))
    }

    /// What took the place of a response. The texts hold no times or ports of ours, so that equal failures read equal.
    private static func failure(_ transfer: HTTPTransfer, _ result: CURLcode, _ provider: Provider) -> ProviderResponse {
        if transfer.isClearRefused {
            return ProviderResponse(
                action: .pauseMailing, stage: .auth, code: 0,
                text: "\(provider.host):\(provider.port): the connection is not encrypted, so the credentials were not sent")
        }
        if transfer.mayHaveArrived {
            return ProviderResponse(
                missed: result == CURLE_OPERATION_TIMEDOUT ? .timedOut : .connectionEnded, stage: .response,
                text: lostText(transfer, result, provider))
        }
        let stage = stage(of: transfer, result, provider)
        let text = unsentText(transfer, result, provider, stage)
        return ProviderResponse(
            action: action(of: result), stage: stage, code: 0, text: SingleLine.clean(text.utf8, longest: HTTPErrorText.longest))
    }

    /// What a person has to correct, and what may pass by itself.
    private static func action(of result: CURLcode) -> ResponseAction {
        switch result {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR:
            .pauseMailing
        default: .reconnect
        }
    }

    private static func stage(of transfer: HTTPTransfer, _ result: CURLcode, _ provider: Provider) -> DeliveryStage {
        guard provider.scheme == .https else { return .connect }
        switch result {
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            return .tls
        default:
            // Set once TCP is connected; libcurl 7.88 notes the time of it only after TLS.
            var port = 0
            flotilla_curl_get_long(transfer.handle, CURLINFO_PRIMARY_PORT, &port)
            return port > 0 ? .tls : .connect
        }
    }

    private static func unsentText(
        _ transfer: HTTPTransfer, _ result: CURLcode, _ provider: Provider, _ stage: DeliveryStage
    ) -> String {
        let place = "\(provider.host):\(provider.port)"
        switch (result, stage) {
        case (CURLE_OPERATION_TIMEDOUT, .tls): return "\(place): no TLS session within \(provider.connectTimeout.seconds) s"
        case (CURLE_OPERATION_TIMEDOUT, _): return "\(place): no connection within \(provider.connectTimeout.seconds) s"
        case (CURLE_COULDNT_CONNECT, _):
            var number = 0
            flotilla_curl_get_long(transfer.handle, CURLINFO_OS_ERRNO, &number)
            let reason = number > 0 ? String(cString: strerror(Int32(number))) : meaning(result)
            return "\(place): cannot connect: \(reason)"
        case (_, .tls) where certificateProblem(transfer, result) != nil:
            return "\(place): \(certificateProblem(transfer, result)?.text(host: provider.host) ?? "")"
        case (_, .tls) where !transfer.failureText.isEmpty: return "\(place): \(transfer.failureText)"
        default: return "\(place): \(meaning(result))"
        }
    }

    /// Why the server's certificate was refused; nil where that was not the matter.
    private static func certificateProblem(_ transfer: HTTPTransfer, _ result: CURLcode) -> CertificateProblem? {
        guard result == CURLE_PEER_FAILED_VERIFICATION else { return nil }
        var verified = 0
        flotilla_curl_get_long(transfer.handle, CURLINFO_SSL_VERIFYRESULT, &verified)
        return CertificateProblem(openSSL: verified)
    }

    private static func lostText(_ transfer: HTTPTransfer, _ result: CURLcode, _ provider: Provider) -> String {
        switch result {
        case CURLE_OPERATION_TIMEDOUT: "no response within \(provider.responseTime.seconds) s; it may have arrived"
        case CURLE_GOT_NOTHING, CURLE_ABORTED_BY_CALLBACK:
            "connection closed without a response; it may have arrived"
        default: "no response: \(meaning(result)); it may have arrived"
        }
    }

    private static func meaning(_ result: CURLcode) -> String { String(cString: curl_easy_strerror(result)) }
}
