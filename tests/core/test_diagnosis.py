from holdfast.core.diagnosis import FAULT_LAYERS, Diagnosis, Layer, LayerProbability


def test_there_are_five_layers_that_a_fault_can_be_in() -> None:
    assert [str(layer) for layer in FAULT_LAYERS] == [
        "input_data",
        "prompt_engineering",
        "model_configuration",
        "output_processing",
        "downstream_integration",
    ]


def test_confidence_is_the_probability_of_the_first_layer() -> None:
    layers = (LayerProbability(Layer.INPUT_DATA, 0.7), LayerProbability(Layer.UNKNOWN, 0.3))
    assert Diagnosis(time_ns=1, layers=layers, causes=()).confidence == 0.7


def test_a_diagnosis_without_layers_is_not_confident_at_all() -> None:
    assert Diagnosis(time_ns=1, layers=(), causes=()).confidence == 0.0
