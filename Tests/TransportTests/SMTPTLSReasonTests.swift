import Testing

@testable import Transport

@Suite struct SMTPTLSReasonTests {
    @Test(
        arguments: [
            (
                "handshakeFailed(sslError([Error: 268435696 error:100000f0:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL]))",
                "unsupported protocol"
            ),
            (
                "[error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION at ssl/tls_record.cc:592]",
                "tlsv1 alert protocol version"
            ),
            ("handshakeFailed(eofDuringHandshake)", "the server closed the connection within the handshake"),
            ("something else", "something else"),
        ] as [(String, String)])
    func theLibrarysWordsAreFound(_ text: String, _ reason: String) {
        #expect(SMTPTLS.reason(text) == reason)
    }
}
