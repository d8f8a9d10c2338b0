"""What a team writes by hand: the scikit-learn pipeline behind FastAPI, answering as Slipway does.

usage: peer_fastapi.py PIPELINE.joblib PORT
"""
import sys
import uuid

import joblib
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(sys.argv[1])


class Row(BaseModel):
    CONTENT: str


class Rows(BaseModel):
    data: list[Row]


class Answer(BaseModel):
    label: str
    confidence: float
    probabilities: dict[str, float]


class Answers(BaseModel):
    request_id: str
    endpoint: str
    model: str
    version: int
    predictions: list[Answer]


@app.post("/endpoints/spam/predict")
async def predict(rows: Rows) -> Answers:
    answers = []
    for shares in model.predict_proba([row.CONTENT for row in rows.data]):
        best = shares.argmax()
        answers.append(Answer(label=model.classes_[best], confidence=shares[best],
                              probabilities=dict(zip(model.classes_, shares))))
    return Answers(request_id=uuid.uuid4().hex, endpoint="spam", model="spam", version=1, predictions=answers)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
