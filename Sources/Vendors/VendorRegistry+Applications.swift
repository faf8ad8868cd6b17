// SPDX-License-Identifier: MIT
import Platform

/// Vendors of applications and of single models, with protocols of their own.
extension VendorRegistry {
  static let applications: [Vendor] = [
    Vendor(
      slug: "cloudflare", name: "Cloudflare Workers AI",
      documentation: "https://developers.cloudflare.com/workers-ai",
      defaultBaseURL: "https://api.cloudflare.com/client/v4", keyForm: "API token",
      modelList: """
        @cf/meta/llama-3.3-70b-instruct-fp8-fast @cf/meta/llama-4-scout-17b-16e-instruct \
        @cf/google/gemma-4-26b-a4b-it @cf/moonshotai/kimi-k2.6 @cf/openai/gpt-oss-120b
        """,
      fieldList: """
        account_id|Account ID; not needed in a base URL that has it|023e105f4ecef8ad9ca31a8372d0c353
        answer_limit|Longest answer in tokens where the client gives none||2048
        """,
      speaks: .cloudflare),
    Vendor(
      slug: "replicate", name: "Replicate", documentation: "https://replicate.com/docs",
      defaultBaseURL: "https://api.replicate.com/v1", keyForm: "r8_…",
      modelList: """
        meta/meta-llama-3-70b-instruct meta/meta-llama-3-8b-instruct \
        meta/meta-llama-3.1-405b-instruct
        """,
      speaks: .replicate),
    Vendor(
      slug: "dify", name: "Dify", documentation: "https://docs.dify.ai/api-reference",
      defaultBaseURL: "https://api.dify.ai/v1", keyForm: "app-…",
      fieldList: """
        app_type|What the application is||chat|chat,completion,workflow
        history|What is sent of the conversation||all|all,last
        input|Input that takes the text, of a completion or workflow||query
        """,
      speaks: .dify),
    Vendor(
      slug: "dify-agent", name: "Dify (agents)",
      documentation: "https://docs.dify.ai/api-reference",
      defaultBaseURL: "https://api.dify.ai/v1", keyForm: "app-…",
      fieldList: "history|What is sent of the conversation||all|all,last", speaks: .difyAgent),
    Vendor(
      slug: "coze", name: "Coze", documentation: "https://www.coze.cn/open/docs",
      defaultBaseURL: "https://api.coze.cn", keyForm: "pat_…",
      fieldList: "bot_id|Bot ID, where the model's name is not bot-ID|7300000000000000001",
      speaks: .coze),
  ]
}
