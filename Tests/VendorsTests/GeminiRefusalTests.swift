// SPDX-License-Identifier: MIT
import Testing

@testable import Vendors

/// What a channel's settings add to requests, and what Google has no words for.
extension GeminiDialectTests {
  @Test func writesTheChannelsSafetySettings() throws {
    let body = try written("", config: ["safety_threshold": "OFF"])
    let settings = try #require(body["safetySettings"] as? [[String: String]])
    #expect(settings.count == 5)
    #expect(settings[0] == ["category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"])
  }

  @Test(arguments: [
    (#","n":2"#, "n"), (#","logit_bias":{"1":2}"#, "logit_bias"),
    (#","logprobs":true"#, "logprobs"),
    (#","modalities":["audio"]"#, "modalities"), (#","prediction":{}"#, "prediction"),
  ])
  func refusesWhatItHasNoWordsFor(_ members: String, _ name: String) throws {
    #expect {
      _ = try written(members)
    } throws: { error in
      (error as? ChatProblem)?.field.text == name && (error as? ChatProblem)?.isOfDialect == true
    }
  }
}
