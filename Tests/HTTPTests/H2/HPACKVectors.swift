/// Header blocks of one connection as the Python package `hpack` 4.2 encodes them, table size changes included, and
/// what they say. A line that begins with `!` is never to be indexed.
enum HPACKVectors {
    private static let long = String(repeating: "x", count: 90)

    static let blocks: [(hex: String, fields: [String])] = [
        (
            "8285100274651d53756e2c203232204e6f7620323032362032323a30303a303020474d546008613d313b20623d32100a"
                + "782dc3bc6e69636f646508017fc3a97e7b7c7d531d53756e2c203232204e6f7620323032362032323a30303a30302047"
                + "4d54100a782dc3bc6e69636f6465086e6f2d63616368655f5a7878787878787878787878787878787878787878787878"
                + "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
                + "78787878787878787878787878787878787878",
            [
                ":method: GET",
                ":path: /index.html",
                "!te: Sun, 22 Nov 2026 22:00:00 GMT",
                "cookie: a=1; b=2",
                "!x-\u{FC}nicode: \u{1}\u{7F}\u{E9}~{|}",
                "accept: Sun, 22 Nov 2026 22:00:00 GMT",
                "!x-\u{FC}nicode: no-cache",
                "content-type: " + long,
            ]
        ),
        (
            "4803333032400a782dc3bc6e69636f64650a303132333435363738397608017fc3a97e7b7c7d98600a30313233343536"
                + "373839",
            [
                ":status: 302",
                "x-\u{FC}nicode: 0123456789",
                "server: \u{1}\u{7F}\u{E9}~{|}",
                "cache-control: ",
                "cookie: 0123456789",
            ]
        ),
        (
            "4203505554855718746578742f68746d6c3b20636861727365743d7574662d387b086e6f2d6361636865400274655a78"
                + "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
                + "78787878787878787878787878787878787878787878787878787878787878787878787878787878787b08747261696c"
                + "657273",
            [
                ":method: PUT",
                ":path: /index.html",
                "authorization: text/html; charset=utf-8",
                "vary: no-cache",
                "te: " + long,
                "vary: trailers",
            ]
        ),
        (
            "20881f2708613d313b20623d32760e426561726572206162632e646566",
            [
                ":status: 200",
                "!server: a=1; b=2",
                "server: Bearer abc.def",
            ]
        ),
        (
            "3fe11f4203505554844002746508017fc3a97e7b7c7d7b0d677a69702c206465666c617465100c782d72657175657374"
                + "2d696408017fc3a97e7b7c7da07f001d53756e2c203232204e6f7620323032362032323a30303a303020474d54615a78"
                + "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
                + "7878787878787878787878787878787878787878787878787878787878787878787878787878787878",
            [
                ":method: PUT",
                ":path: /",
                "te: \u{1}\u{7F}\u{E9}~{|}",
                "vary: gzip, deflate",
                "!x-request-id: \u{1}\u{7F}\u{E9}~{|}",
                "cookie: ",
                "te: Sun, 22 Nov 2026 22:00:00 GMT",
                "date: " + long,
            ]
        ),
        (
            "8d400c782d726571756573742d696418746578742f68746d6c3b20636861727365743d7574662d385308017fc3a97e7b"
                + "7c7d1f325a78787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
                + "78787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878781f"
                + "0918746578742f68746d6c3b20636861727365743d7574662d3860086e6f2d63616368657f0300",
            [
                ":status: 404",
                "x-request-id: text/html; charset=utf-8",
                "accept: \u{1}\u{7F}\u{E9}~{|}",
                "!te: " + long,
                "!cache-control: text/html; charset=utf-8",
                "cookie: no-cache",
                "te: ",
            ]
        ),
        (
            "3f213fe1078244082f612f623f633d64100c782d726571756573742d6964007f000a303132333435363738397e08613d"
                + "313b20623d32610a303132333435363738391f095a787878787878787878787878787878787878787878787878787878"
                + "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
                + "787878787878787878787878787878",
            [
                ":method: GET",
                ":path: /a/b?c=d",
                "!x-request-id: ",
                "te: 0123456789",
                "te: a=1; b=2",
                "date: 0123456789",
                "!cache-control: " + long,
            ]
        ),
        (
            "3f45488264024082497fcff3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7"
                + "cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e7cf9f3e75f880044cb4d"
                + "b8ebcfff4086f2b12d424f4f880044cb4db8ebcfff618aba51d85b141c645e42cb1f308a9bd9abfa5242cb40d25f7696"
                + "dd6d5f4a084a693f75040138a0857000b800298b46ff",
            [
                ":status: 302",
                "te: " + long,
                "content-type: 0123456789",
                "x-custom: 0123456789",
                "date: Bearer abc.def",
                "!x-custom: gzip, deflate",
                "server: Sun, 22 Nov 2026 22:00:00 GMT",
            ]
        ),
        (
            "8385530a303132333435363738391f110a303132333435363738394002746508017fc3a97e7b7c7d1f2f18746578742f"
                + "68746d6c3b20636861727365743d7574662d38",
            [
                ":method: POST",
                ":path: /index.html",
                "accept: 0123456789",
                "!cookie: 0123456789",
                "te: \u{1}\u{7F}\u{E9}~{|}",
                "!te: text/html; charset=utf-8",
            ]
        ),
        (
            "3fe13f885f86a8eb10649cbfbf7b880044cb4db8ebcfff6086a8eb10649cbf1f1286a8eb10649cbf5396dd6d5f4a084a"
                + "693f75040138a0857000b800298b46ff",
            [
                ":status: 200",
                "content-type: no-cache",
                "te: \u{1}\u{7F}\u{E9}~{|}",
                "vary: 0123456789",
                "cookie: no-cache",
                "!date: no-cache",
                "accept: Sun, 22 Nov 2026 22:00:00 GMT",
            ]
        ),
        (
            "8385be1f2708747261696c6572731f1208613d313b20623d32400a782dc3bc6e69636f646500",
            [
                ":method: POST",
                ":path: /index.html",
                "accept: Sun, 22 Nov 2026 22:00:00 GMT",
                "!server: trailers",
                "!date: a=1; b=2",
                "x-\u{FC}nicode: ",
            ]
        ),
        (
            "887b86a8eb10649cbf5792497ca589d34d1f6a1271d882a60b532acf7f768a9bd9abfa5242cb40d25f",
            [
                ":status: 200",
                "vary: no-cache",
                "authorization: text/html; charset=utf-8",
                "server: gzip, deflate",
            ]
        ),
    ]

    /// The 256 bytes in order, Huffman-encoded by the same package.
    static let everyByteEncoded =
        "ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfff"
        + "ffebfffffecfffffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdf"
        + "fffffe3fffffe7fffffebfffffed4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3ff50"
        + "ddbd7f061c58f265cd9f469d5af66dddbf871e5f9cff7ff7fffc3ff9ffe45fff4719242cb34e6e9d68a6a3d7dac426de"
        + "fe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa3fffd3ffff53fffd5ffffb3fffeb7fffdaffffb7ffff73ff"
        + "feeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffffeeffffc3ffff8bffff1ffffe4fffee7fffb1ffff97fffd9f"
        + "fffcdffff9fffffbffffdafffeeffff4ffffb7fffee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1fffdfffff7fff"
        + "ff5ffffecffff07fff87fffe0ffff17fffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff"
        + "1fffff83ffffe1fffebfffe3ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8ffff"
        + "fb7fff97fff8fffffe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9"
        + "fffff97fffb3ffffcffffb7fffcdffff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffff"
        + "a7ffffd7fffff9bffffecfffffb7fffff3fffffe8fffffd3fffffabfffff5fffffff7ffffecfffffdbfffffbbfffff7f"
        + "fffff0fffffbbf"
}
